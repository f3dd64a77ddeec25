"""Secrets go in over REST and never come out; what uses one keeps it."""

import pytest

from agentxsuite.control.agents.services import create_service_account
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.services import create_connection, delete_connection
from agentxsuite.control.secretstore.models import Secret, SecretVersion
from agentxsuite.control.secretstore.services import reveal_many, store
from tests import cast
from tests.cast import client

company, rival, master_keys = cast.company, cast.rival, cast.master_keys  # fixtures
pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.usefixtures("master_keys"),
]
CANARY = "hunter2-canary"


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/secrets/"


@pytest.fixture
def door(company):
    return f"/api/v1/orgs/{company.organization.id}/connections/store-secret/"


@pytest.fixture
def alice(company):
    return client(company.owner)


@pytest.fixture
def stored(company):
    """Store a secret for prod, unless another place is told."""

    def stored(purpose="upstream", environment="prod"):
        place = getattr(company, environment) if environment else None
        return store(company.actor, company.organization, place, CANARY, purpose)

    return stored


@pytest.fixture
def used(company, stored):
    """A secret with a connection that logs in with it."""
    secret = stored()
    place, url = company.prod, "https://pdf.example/mcp"
    access = {"auth_method": "bearer", "secret_ref": secret.ref}
    return secret, create_connection(company.actor, place, "Pdf", url, **access)


def test_a_secret_lives_from_its_storing_to_its_end(company, home, door, alice):
    """Otherwise: a credential cannot be brought in, replaced or taken away."""
    body = {"value": CANARY, "purpose": "upstream", "environment": str(company.prod.id)}
    made = alice.post(door, body, format="json")
    assert made.status_code == 201, made.content
    ref = made.json()["secret_ref"]
    one = f"{home}{ref}/"
    assert alice.get(one).json()["version"] == 1
    rotated = alice.post(f"{one}versions/", {"value": "next"}, format="json")
    assert (rotated.status_code, rotated.json()["number"]) == (201, 2)
    assert rotated.json()["created_by"] == str(company.owner.id)
    kept = reveal_many(company.organization.id, company.prod.id, [ref])
    assert kept[ref].value.reveal() == "next"
    shown = alice.get(one).json()
    assert (shown["version"], [each["number"] for each in shown["versions"]]) == (2, [2, 1])
    assert [each["number"] for each in alice.get(f"{one}versions/").json()["results"]] == [2, 1]
    assert alice.delete(one).status_code == 204
    assert [alice.get(one).status_code, alice.delete(one).status_code] == [404, 404]
    assert alice.post(f"{one}versions/", {"value": "x"}, format="json").status_code == 404
    assert not SecretVersion.objects.exists()
    assert Secret.objects.get(ref=ref).deleted_at is not None


def test_no_answer_and_no_record_has_the_value(company, home, door, alice):
    """Otherwise: whoever reads a list, an error or the audit reads the credential."""
    answers = [alice.post(door, {"value": CANARY}, format="json")]
    one = f"{home}{answers[0].json()['secret_ref']}/"
    answers += [alice.post(f"{one}versions/", {"value": CANARY}, format="json")]
    answers += [alice.get(path) for path in (home, one, f"{one}versions/")]
    answers += [alice.post(door, {"value": f"{CANARY}\0"}, format="json")]
    answers += [alice.post(door, {"value": CANARY, "purpose": "p" * 201}, format="json")]
    assert [each.status_code for each in answers] == [201, 201, 200, 200, 200, 400, 400]
    assert CANARY not in str([each.content for each in answers])
    assert CANARY not in str(list(AuditEvent.objects.values()))


def test_every_change_is_on_record(company, home, alice, stored):
    """Otherwise: nobody can tell who replaced or erased a credential."""
    ref = stored().ref
    alice.post(f"{home}{ref}/versions/", {"value": "next"}, format="json")
    alice.delete(f"{home}{ref}/")
    told = list(AuditEvent.objects.filter(target=f"secret:{ref}").order_by("id"))
    assert [(each.event_type, each.action) for each in told] == [
        ("secret_stored", "secret.store"),
        ("secret_rotated", "secret.rotate"),
        ("secret_deleted", "secret.delete"),
    ]
    assert told[2].event_data == {"purpose": "upstream", "version": 2}
    assert {each.subject for each in told} == {f"user:{company.owner.id}"}


def test_what_is_used_is_not_erased(company, home, alice, used):
    """Otherwise: one click stops every call of a connection."""
    secret, connection = used
    one = f"{home}{secret.ref}/"
    create_service_account(
        company.actor, company.organization, "robot", credential_ref=stored_everywhere(company)
    )
    refused = alice.delete(one)
    assert (refused.status_code, refused.json()["code"]) == (409, "secret_in_use")
    assert "connection Pdf" in refused.json()["detail"]
    use = {"kind": "connection", "id": str(connection.id), "name": "Pdf", "field": "secret_ref"}
    assert alice.get(one).json()["used_by"] == [use]
    delete_connection(company.actor, connection)
    assert alice.get(one).json()["used_by"] == []
    assert alice.delete(one).status_code == 204


def stored_everywhere(company):
    return store(company.actor, company.organization, None, "value", "shared").ref


def test_an_erased_secret_serves_nobody(company, alice, home, stored):
    """Otherwise: a connection is written whose every call fails."""
    ref = stored().ref
    assert alice.delete(f"{home}{ref}/").status_code == 204
    assert reveal_many(company.organization.id, company.prod.id, [ref]) == {}
    body = {
        "environment": str(company.prod.id),
        "name": "Pdf",
        "endpoint": "https://pdf.example/mcp",
        "auth_method": "bearer",
        "secret_ref": ref,
    }
    path = home.replace("secrets", "connections")
    answer = alice.post(path, body, format="json")
    assert [fault["path"] for fault in answer.json()["errors"]] == ["/secret_ref"]


def test_lists_are_narrowed_ordered_and_paged(company, home, alice, stored):
    """Otherwise: in a long list nothing can be found."""
    stored("upstream"), stored("inbound", "dev"), stored("both", None)

    def purposes(query):
        return [row["purpose"] for row in alice.get(f"{home}?{query}").json()["results"]]

    assert purposes("ordering=purpose") == ["both", "inbound", "upstream"]
    assert purposes(f"environment={company.dev.id}") == ["inbound"]
    assert purposes("shared=true") == ["both"]
    assert purposes("purpose=upstream") == ["upstream"]
    assert purposes("page_size=1&page=2&ordering=purpose") == ["inbound"]


def test_a_list_costs_the_same_for_one_and_for_fifty(
    home, alice, stored, django_assert_num_queries, django_assert_max_num_queries
):
    """Otherwise: a full page takes fifty times as long."""
    stored()
    with django_assert_max_num_queries(20) as one:
        alice.get(home)
    for _ in range(49):
        stored()
    with django_assert_num_queries(len(one)):
        assert len(alice.get(home).json()["results"]) == 50


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/value"),
        ({"value": ""}, "/value"),
        ({"value": 7.5}, "/value"),
        ({"value": "ü" * 32 * 1024 + "x"}, "/value"),
        ({"value": "x", "environment": "prod"}, "/environment"),
        ({"value": "x", "purpose": None}, "/purpose"),
        ({"value": "x", "secret_ref": "sec_mine"}, "/secret_ref"),
    ],
)
def test_bad_input_is_told_by_its_field(home, door, alice, body, path):
    """Otherwise: somebody guesses for an hour what was wrong."""
    answer = alice.post(door, body, format="json")
    assert answer.status_code == 400, answer.content
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]
    assert alice.get(home).json()["count"] == 0


def test_a_value_is_kept_to_the_last_blank(company, door, alice):
    """Otherwise: a password that ends in a blank never works, and nobody sees why."""
    made = alice.post(door, {"value": " two words "}, format="json").json()["secret_ref"]
    kept = reveal_many(company.organization.id, company.prod.id, [made])
    assert kept[made].value.reveal() == " two words "


@pytest.mark.parametrize("name", ["bob", "vera", "ada"])
def test_only_an_admin_writes_secrets(home, door, company, stored, name):
    """Otherwise: somebody who may only look replaces a credential by their own."""
    browser, one = client(company.people[name]), f"{home}{stored().ref}/"
    sees = 403 if name == "ada" else 200
    assert [browser.get(home).status_code, browser.get(one).status_code] == [sees, sees]
    assert browser.post(door, {"value": "x"}, format="json").status_code == 403
    assert browser.post(f"{one}versions/", {"value": "x"}, format="json").status_code == 403
    assert browser.delete(one).status_code == 403


def test_a_stranger_learns_nothing(home, door, company, rival, stored):
    """Otherwise: one tenant uses, replaces or erases another one's credentials."""
    ref = stored().ref
    charlie = client(rival.owner)
    theirs = f"/api/v1/orgs/{rival.organization.id}/secrets/"
    for path in (home, f"{home}{ref}/", f"{theirs}{ref}/", f"{theirs}{ref}/versions/"):
        assert charlie.get(path).status_code == 404
    assert charlie.delete(f"{theirs}{ref}/").status_code == 404
    answer = charlie.post(f"{theirs}{ref}/versions/", {"value": "x"}, format="json")
    assert answer.status_code == 404
    body = {"value": "x", "environment": str(company.prod.id)}
    foreign = charlie.post(
        door.replace(str(company.organization.id), str(rival.organization.id)), body, format="json"
    )
    assert [fault["path"] for fault in foreign.json()["errors"]] == ["/environment"]
    assert charlie.post(door, {"value": "x"}, format="json").status_code == 404
    assert [client().get(home).status_code, client().post(door).status_code] == [401, 401]
