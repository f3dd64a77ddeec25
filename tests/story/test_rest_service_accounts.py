"""Service accounts, the logins of agents, are kept over REST, by who may."""

from uuid import uuid4

import pytest
from django.conf import settings

from agentxsuite.control.agents.models import ServiceAccount
from agentxsuite.control.agents.services import create_service_account, issue_token
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.secretstore.services import store
from tests import cast
from tests.cast import client

company, rival = cast.company, cast.rival  # fixtures, asked for by name
token_keys, master_keys = cast.token_keys, cast.master_keys
pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.usefixtures("token_keys", "master_keys"),
]
OUTSIDE = {"issuer": "https://id.example", "subject": "robot", "audience": "agentxsuite"}


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/service-accounts/"


@pytest.fixture
def alice(company):
    return client(company.owner)


def paths(answer):
    assert answer.status_code == 400, answer.content
    return [fault["path"] for fault in answer.json()["errors"]]


def test_an_account_lives_from_its_making_to_its_end(home, alice):
    """Otherwise: nobody can give an agent a login, or take it back."""
    made = alice.post(home, {"name": "Robot", **OUTSIDE}, format="json")
    assert made.status_code == 201, made.content
    row, one = made.json(), f"{home}{made.json()['id']}/"
    assert alice.get(one).json() == row
    assert (row["environment"], row["enabled"], row["scope_allowlist"]) == (None, True, [])
    changed = alice.patch(one, {"scope_allowlist": ["tool.*"]}, format="json").json()
    assert changed == {**row, "scope_allowlist": ["tool.*"]}
    body = {"name": "Android", "audience": "suite"}
    assert alice.put(one, body, format="json").json() == {**row, **body}
    assert alice.put(one, changed, format="json").json() == changed
    assert alice.delete(one).status_code == 204
    assert alice.get(one).status_code == 404
    assert alice.delete(one).status_code == 404


def test_our_own_issuer_is_chosen_where_none_is_named(home, alice):
    """Otherwise: an agent without an identity provider has no login."""
    first, second = (alice.post(home, {"name": name}, format="json").json() for name in "ab")
    assert first["issuer"] == settings.PUBLIC_URL
    assert first["subject"] != second["subject"]
    one = f"{home}{first['id']}/"
    assert alice.put(one, {"name": "c"}, format="json").json() == {**first, "name": "c"}
    assert alice.put(one, first, format="json").json() == first


def test_a_login_is_taken_for_ever(home, alice, company, rival):
    """Otherwise: an old login of somebody else's finds a new agent."""
    made = alice.post(home, {"name": "Robot", **OUTSIDE}, format="json").json()
    one = f"{home}{made['id']}/"
    assert paths(alice.patch(one, {"subject": "other"}, format="json")) == ["/subject"]
    assert paths(alice.patch(one, {"issuer": "https://o.example"}, format="json")) == ["/issuer"]
    place = {"environment": str(company.prod.id)}
    assert paths(alice.patch(one, place, format="json")) == ["/environment"]
    alice.delete(one)
    assert alice.post(home, {"name": "Robot", **OUTSIDE}, format="json").status_code == 409
    theirs = f"/api/v1/orgs/{rival.organization.id}/service-accounts/"
    taken = client(rival.owner).post(theirs, {"name": "Mine", **OUTSIDE}, format="json")
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    assert alice.post(home, {"name": "Robot"}, format="json").status_code == 201
    assert alice.post(home, {"name": "Robot"}, format="json").status_code == 409


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"issuer": "https://id.example"}, "/subject"),
        ({"subject": "robot"}, "/subject"),
        ({**OUTSIDE, "audience": ""}, "/audience"),
        ({**OUTSIDE, "issuer": "id.example"}, "/issuer"),
        ({**OUTSIDE, "issuer": settings.PUBLIC_URL}, "/issuer"),
        ({**OUTSIDE, "issuer": settings.PUBLIC_URL.upper() + "/"}, "/issuer"),
        ({"name": ""}, "/name"),
        ({"scope_allowlist": ["two words"]}, "/scope_allowlist/0"),
        ({"scope_allowlist": "tool.invoke"}, "/scope_allowlist"),
        ({"credential_ref": "sec_guessed"}, "/credential_ref"),
        ({"environment": str(uuid4())}, "/environment"),
        ({"audiance": "x"}, "/audiance"),
    ],
)
def test_bad_input_is_told_by_its_field(home, alice, body, path):
    """Otherwise: somebody guesses for an hour what was wrong."""
    assert path in paths(alice.post(home, {"name": "x", **body}, format="json"))
    assert not ServiceAccount.objects.exists()


def test_what_is_elsewhere_is_not_there(home, alice, company, rival):
    """Otherwise: a login leans on another environment's or another tenant's secret."""
    secrets = [
        (store(rival.actor, rival.organization, None, "v").ref, None),
        (store(company.actor, company.organization, company.dev, "v").ref, company.prod),
        (store(company.actor, company.organization, company.dev, "v").ref, None),
    ]
    for ref, place in secrets:
        body = {"name": "x", "credential_ref": ref, "environment": place and str(place.id)}
        assert paths(alice.post(home, body, format="json")) == ["/credential_ref"]
    foreign = {"name": "x", "environment": str(rival.prod.id)}
    assert paths(alice.post(home, foreign, format="json")) == ["/environment"]
    own = store(company.actor, company.organization, company.dev, "v").ref
    body = {"name": "x", "credential_ref": own, "environment": str(company.dev.id)}
    assert alice.post(home, body, format="json").status_code == 201


def test_every_change_is_on_record(home, alice, company):
    """Otherwise: nobody can tell who widened a login."""
    made = alice.post(home, {"name": "Robot"}, format="json").json()
    one = f"{home}{made['id']}/"
    alice.patch(one, {"enabled": False}, format="json")
    alice.patch(one, {"enabled": False}, format="json")  # says nothing new
    alice.delete(one)
    told = AuditEvent.objects.filter(target=f"service_account:{made['id']}").order_by("id")
    assert [event.event_type for event in told] == [
        "service_account_created",
        "service_account_changed",
        "service_account_deleted",
    ]
    assert told[1].event_data == {"changes": {"enabled": {"from": True, "to": False}}}
    assert {event.subject for event in told} == {f"user:{company.owner.id}"}


def test_tokens_shrink_with_their_account(home, alice, company):
    """Otherwise: a token goes on doing what its account may no longer."""
    agent = company.agent()
    wide, _ = issue_token(company.actor, agent, ["tool.invoke", "prompt.get"])
    good, _ = issue_token(company.actor, agent, ["tool.invoke"])
    one = f"{home}{agent.service_account_id}/"
    alice.patch(one, {"scope_allowlist": ["tool.*"]}, format="json")
    wide.refresh_from_db()
    good.refresh_from_db()
    assert (wide.revoked_by, good.revoked_at) == (company.owner, None)
    alice.delete(one)
    good.refresh_from_db()
    assert good.revoked_at is not None


def test_lists_are_narrowed_ordered_and_paged(home, alice, company):
    """Otherwise: among a hundred logins none is found."""
    alice.post(home, {"name": "b", **OUTSIDE}, format="json")
    alice.post(home, {"name": "a", "environment": str(company.dev.id)}, format="json")
    named = [row["name"] for row in alice.get(f"{home}?ordering=name").json()["results"]]
    assert named == ["a", "b"]
    for query, count in [
        (f"environment={company.dev.id}", 1),
        (f"environment={uuid4()}", 0),
        ("subject=robot", 1),
        ("issuer=https://id.example", 1),
        ("enabled=false", 0),
    ]:
        assert alice.get(f"{home}?{query}").json()["count"] == count, query


def test_a_list_costs_the_same_however_long(
    home, alice, company, django_assert_num_queries, django_assert_max_num_queries
):
    """Otherwise: an organization with many logins waits for its lists."""
    create_service_account(company.actor, company.organization, "first", environment=company.dev)
    with django_assert_max_num_queries(20) as short:
        alice.get(home)
    for number in range(49):
        create_service_account(company.actor, company.organization, f"login {number}")
    with django_assert_num_queries(len(short)):
        assert len(alice.get(home).json()["results"]) == 50


@pytest.mark.parametrize("name", ["vera", "bob", "ada"])
def test_only_an_admin_changes_accounts(home, alice, company, name):
    """Otherwise: somebody who may only look opens a way in."""
    one = f"{home}{alice.post(home, {'name': 'x'}, format='json').json()['id']}/"
    browser = client(company.people[name])
    assert browser.post(home, {"name": "y"}, format="json").status_code == 403
    assert browser.put(one, {"name": "y"}, format="json").status_code == 403
    assert browser.patch(one, {"name": "y"}, format="json").status_code == 403
    assert browser.delete(one).status_code == 403
    assert browser.get(one).status_code == (403 if name == "ada" else 200)
    assert ServiceAccount.objects.get().name == "x"


def test_a_stranger_learns_nothing(home, alice, rival):
    """Otherwise: one tenant sees or ends another one's logins."""
    made = alice.post(home, {"name": "x"}, format="json").json()
    charlie = client(rival.owner)
    theirs = f"/api/v1/orgs/{rival.organization.id}/service-accounts/{made['id']}/"
    for path in (home, f"{home}{made['id']}/", theirs):
        assert charlie.get(path).status_code == 404
    assert charlie.delete(theirs).status_code == 404
    assert charlie.patch(theirs, {"name": "y"}, format="json").status_code == 404
    assert client().get(home).status_code == 401
