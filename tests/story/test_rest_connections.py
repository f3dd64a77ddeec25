"""Connections are made, changed, tested and deleted by who may, and only in one's organization."""

import pytest

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog import sync
from agentxsuite.control.catalog.models import Connection, Tool
from agentxsuite.control.catalog.services import create_connection
from agentxsuite.control.secretstore.services import store
from tests import cast
from tests.cast import client

company, rival, master_keys = cast.company, cast.rival, cast.master_keys  # fixtures
pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.usefixtures("master_keys"),
]
URL = "https://pdf.example/mcp"


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/connections/"


@pytest.fixture
def alice(company):
    return client(company.owner)


@pytest.fixture
def pdf(company):
    return create_connection(company.actor, company.prod, "Pdf", URL)


@pytest.fixture
def secret(company):
    return store(company.actor, company.organization, company.prod, "value", "upstream")


@pytest.fixture
def body(company):
    return {"environment": str(company.prod.id), "name": "Papers", "endpoint": URL}


def faults(answer):
    assert answer.status_code == 400, answer.content
    return [fault["path"] for fault in answer.json()["errors"]]


def test_a_connection_lives_from_its_making_to_its_end(home, alice, body, secret):
    """Otherwise: a team cannot connect, move or take away a server."""
    login = {"auth_method": "HEADER", "auth_config": {"header": "X-Key"}}
    made = alice.post(home, {**body, **login, "secret_ref": secret.ref}, format="json")
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["slug"], row["status"], row["auth_method"]) == ("papers", "unknown", "header")
    one = f"{home}{row['id']}/"
    assert alice.get(one).json() == row
    renamed = alice.patch(one, {"name": "Docs", "enabled": False}, format="json").json()
    assert (renamed["name"], renamed["slug"], renamed["enabled"]) == ("Docs", "papers", False)
    replaced = alice.put(one, {"name": "Docs", "endpoint": URL}, format="json").json()
    assert (replaced["auth_method"], replaced["auth_config"]) == ("none", {})
    assert (replaced["secret_ref"], replaced["enabled"]) == (None, True)
    assert alice.put(one, replaced, format="json").json() == replaced
    assert alice.delete(one).status_code == 204
    assert [alice.get(one).status_code, alice.delete(one).status_code] == [404, 404]
    again = alice.post(home, {**body, "name": "Docs"}, format="json")
    assert (again.status_code, again.json()["slug"]) == (201, "docs")
    third = alice.post(home, body, format="json")
    assert third.json()["slug"] == "papers-2"


def test_every_change_is_on_record(home, alice, company, pdf):
    """Otherwise: nobody can tell who pointed a connection elsewhere."""
    one = f"{home}{pdf.id}/"
    alice.patch(one, {"endpoint": f"{URL}2"}, format="json")
    alice.patch(one, {"endpoint": f"{URL}2", "name": "Pdf"}, format="json")  # says nothing new
    alice.delete(one)
    told = list(AuditEvent.objects.filter(target="connection:pdf").order_by("id"))
    assert [(each.event_type, each.action) for each in told] == [
        ("connection_created", "connection.create"),
        ("connection_changed", "connection.change"),
        ("connection_deleted", "connection.delete"),
    ]
    changes = {"endpoint": {"from": URL, "to": f"{URL}2", "sent_to_review": 0}}
    assert told[1].event_data == {"name": "Pdf", "changes": changes}
    assert told[2].event_data == {"name": "Pdf", "tools": 0, "accounts": 0}
    assert {each.subject for each in told} == {f"user:{company.owner.id}"}


def test_another_address_sends_the_tools_to_review(home, alice, company, pdf):
    """Otherwise: agents call whatever stands behind a new address, unseen by anybody."""
    sync.settle(company.actor, sync.begin(pdf), [{"name": "read"}])
    Connection.objects.update(status="ok", server_info={"name": "old"})
    changed = alice.patch(f"{home}{pdf.id}/", {"endpoint": f"{URL}2"}, format="json").json()
    assert Tool.objects.get().sync_status == "pending_review"
    assert (changed["status"], changed["server_info"]) == ("unknown", {})


def test_its_tools_go_with_it(home, alice, company, pdf):
    """Otherwise: what somebody took away is still listed, approved and bound to policies."""
    sync.settle(company.actor, sync.begin(pdf), [{"name": "read"}, {"name": "write"}])
    assert alice.delete(f"{home}{pdf.id}/").status_code == 204
    assert not Tool.objects.live().exists()
    assert alice.get(home.replace("connections", "tools")).json()["count"] == 0
    event = AuditEvent.objects.get(event_type="connection_deleted")
    assert event.event_data["tools"] == 2


def test_what_the_operator_closed_can_be_switched_off(home, alice, company, settings):
    """Otherwise: a connection that is no longer allowed cannot even be disabled."""
    settings.EGRESS_ALLOW = ["127.0.0.1:9000"]
    inside = create_connection(company.actor, company.prod, "In", "http://127.0.0.1:9000/mcp")
    settings.EGRESS_ALLOW = []
    one = f"{home}{inside.id}/"
    assert alice.patch(one, {"enabled": False}, format="json").status_code == 200
    moved = alice.patch(one, {"endpoint": "http://127.0.0.1:9001/mcp"}, format="json")
    assert (faults(moved), moved.json()["code"]) == (["/endpoint"], "egress_denied")


def test_lists_are_narrowed_ordered_and_paged(home, alice, company, pdf):
    """Otherwise: in a long list nothing can be found."""
    create_connection(company.actor, company.dev, "Mail", URL, enabled=False)
    create_connection(company.actor, company.dev, "Shop", URL)

    def slugs(query):
        return [row["slug"] for row in alice.get(f"{home}?{query}").json()["results"]]

    assert slugs("ordering=name") == ["mail", "pdf", "shop"]
    assert slugs("ordering=-name&page_size=1&page=2") == ["pdf"]
    assert slugs(f"environment={company.prod.id}") == ["pdf"]
    assert slugs("enabled=false") == ["mail"]
    assert slugs("name=Shop&status=unknown&auth_method=none") == ["shop"]
    assert slugs("slug=nothing") == []


def test_a_list_costs_the_same_for_one_and_for_fifty(
    home, alice, company, pdf, django_assert_num_queries, django_assert_max_num_queries
):
    """Otherwise: a full page takes fifty times as long."""
    with django_assert_max_num_queries(20) as one:
        alice.get(home)
    for number in range(49):
        create_connection(company.actor, company.dev, f"C{number}", URL)
    with django_assert_num_queries(len(one)):
        assert len(alice.get(home).json()["results"]) == 50


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"environment": None}, "/environment"),
        ({"environment": "prod"}, "/environment"),
        ({"endpoint": "ftp://x.example"}, "/endpoint"),
        ({"endpoint": "https://169.254.169.254/"}, "/endpoint"),
        ({"endpoint": "stdio://bash"}, "/endpoint"),
        ({"auth_method": "magic"}, "/auth_method"),
        ({"auth_method": "oauth2"}, "/auth_config"),
        ({"auth_method": "bearer"}, "/secret_ref"),
        ({"auth_method": "bearer", "secret_ref": "sec_none"}, "/secret_ref"),
        ({"secret_ref": "sec_none"}, "/secret_ref"),
        ({"auth_config": []}, "/auth_config"),
        ({"auth_config": {"x": 1}}, "/auth_config"),
        ({"verify": "never"}, "/verify"),
        ({"enabled": "perhaps"}, "/enabled"),
        ({"slug": "mine"}, "/slug"),
        ({"endpiont": "https://x.example"}, "/endpiont"),
    ],
)
def test_bad_input_is_told_by_its_field(home, alice, body, changes, path):
    """Otherwise: somebody guesses for an hour what was wrong."""
    assert faults(alice.post(home, {**body, **changes}, format="json")) == [path]
    assert alice.get(home).json()["count"] == 0


def test_a_taken_name_is_a_conflict(home, alice, company, body, pdf):
    """Otherwise: nobody can tell two servers apart."""
    taken = alice.post(home, {**body, "name": "Pdf"}, format="json")
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    elsewhere = {**body, "name": "Pdf", "environment": str(company.dev.id)}
    assert alice.post(home, elsewhere, format="json").status_code == 201


@pytest.mark.parametrize("change", [{"slug": "other"}, {"environment": "dev"}])
def test_what_is_for_ever_is_not_changed_in_silence(home, alice, company, pdf, change):
    """Otherwise: somebody believes to have moved a connection, and has not."""
    [name] = change
    told = {"slug": "other", "environment": str(company.dev.id)}[name]
    answer = alice.patch(f"{home}{pdf.id}/", {name: told}, format="json")
    assert faults(answer) == [f"/{name}"]


@pytest.mark.parametrize(
    ("name", "sees"), [("bob", (200, 503)), ("vera", (200, 403)), ("ada", (403, 403))]
)
def test_only_an_admin_changes_connections(home, company, body, pdf, name, sees):
    """Otherwise: somebody who may only look points a connection elsewhere."""
    browser, one = client(company.people[name]), f"{home}{pdf.id}/"
    reads, tests = sees
    assert [browser.get(home).status_code, browser.get(one).status_code] == [reads, reads]
    assert browser.post(home, body, format="json").status_code == 403
    assert browser.patch(one, {"name": "x"}, format="json").status_code == 403
    assert browser.put(one, {"name": "x", "endpoint": URL}, format="json").status_code == 403
    assert browser.delete(one).status_code == 403
    # 503: who may is told that this process serves nobody.
    assert browser.post(f"/api/v1/connections/{pdf.id}/test/").status_code == tests


def test_a_stranger_learns_nothing(home, company, rival, body, pdf, secret):
    """Otherwise: one tenant sees, uses or ends another one's connections."""
    charlie = client(rival.owner)
    own = f"/api/v1/orgs/{rival.organization.id}/connections/"
    for path in (home, f"{home}{pdf.id}/", f"{own}{pdf.id}/"):
        assert charlie.get(path).status_code == 404
    assert charlie.delete(f"{own}{pdf.id}/").status_code == 404
    assert charlie.patch(f"{own}{pdf.id}/", {"name": "x"}, format="json").status_code == 404
    assert charlie.post(f"/api/v1/connections/{pdf.id}/test/").status_code == 404
    assert charlie.get(f"{own}?environment={company.prod.id}").json()["count"] == 0
    assert faults(charlie.post(own, body, format="json")) == ["/environment"]
    stolen = {
        "environment": str(rival.prod.id),
        "name": "Mine",
        "endpoint": "https://evil.example/mcp",
        "auth_method": "bearer",
        "secret_ref": secret.ref,
    }
    assert faults(charlie.post(own, stolen, format="json")) == ["/secret_ref"]
    for path in (home, f"{home}{pdf.id}/"):
        assert client().get(path).status_code == 401


def test_a_secret_of_another_environment_is_not_there(home, alice, company, body, secret):
    """Otherwise: what may only act in production acts from development."""
    login = {"auth_method": "bearer", "secret_ref": secret.ref}
    here = {**body, **login, "environment": str(company.dev.id)}
    assert faults(alice.post(home, here, format="json")) == ["/secret_ref"]
