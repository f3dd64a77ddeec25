"""Agents are made, changed and deleted over REST, by who may, within one's organization."""

from uuid import uuid4

import pytest

from agentxsuite.control.agents.models import Agent, IssuedToken
from agentxsuite.control.agents.services import create_agent, create_service_account, issue_token
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Connection
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


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/agents/"


@pytest.fixture
def alice(company):
    return client(company.owner)


@pytest.fixture
def account(company):
    return create_service_account(company.actor, company.organization, "login")


def connection_in(environment, slug="pdf"):
    return Connection.objects.create(
        organization_id=environment.organization_id,
        environment=environment,
        name=slug,
        slug=slug,
        endpoint="https://pdf.example/mcp",
    )


def secret_in(company, environment=None, value="s3cret"):
    return store(company.actor, company.organization, environment, value).ref


def paths(answer):
    assert answer.status_code == 400, answer.content
    return [fault["path"] for fault in answer.json()["errors"]]


def test_an_agent_lives_from_its_making_to_its_end(home, alice, company, account):
    """Otherwise: nobody can let an agent in, adjust it, or lock it out for good."""
    body = {
        "environment": str(company.prod.id),
        "name": "Night Clerk",
        "inbound_auth_method": "BEARER",
        "service_account": str(account.id),
        "tags": ["night"],
    }
    made = alice.post(home, body, format="json")
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["slug"], row["mode"], row["enabled"]) == ("night-clerk", "caller", True)
    one = f"{home}{row['id']}/"
    assert alice.get(one).json() == row
    assert alice.patch(one, {"enabled": False}, format="json").json()["tags"] == ["night"]
    replaced = alice.put(one, {"name": "Clerk", "service_account": str(account.id)}, format="json")
    assert replaced.json() == {**row, "name": "Clerk", "tags": []}
    assert alice.put(one, replaced.json(), format="json").json() == replaced.json()
    assert alice.delete(one).status_code == 204
    assert alice.get(one).status_code == 404
    assert alice.delete(one).status_code == 404
    assert alice.get(home).json()["count"] == 0


def test_a_name_is_free_again_and_a_slug_never(home, alice, company):
    """Otherwise: a new agent passes for the one that stands in old records."""
    body = {"environment": str(company.prod.id), "name": "Clerk", "inbound_auth_method": "none"}
    first = alice.post(home, body, format="json").json()
    assert alice.post(home, body, format="json").status_code == 409
    alice.delete(f"{home}{first['id']}/")
    second = alice.post(home, body, format="json").json()
    assert (first["slug"], second["slug"]) == ("clerk", "clerk-2")
    taken = alice.post(home, {**body, "name": "Other", "slug": "CLERK"}, format="json")
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    assert alice.post(home, {**body, "name": "客服"}, format="json").json()["slug"] == "agent"


def test_every_change_is_on_record(home, alice, company):
    """Otherwise: nobody can tell who switched an agent off."""
    agent = company.agent()
    one = f"{home}{agent.id}/"
    alice.patch(one, {"enabled": False}, format="json")
    alice.patch(one, {"enabled": False}, format="json")  # says nothing new
    alice.delete(one)
    told = AuditEvent.objects.filter(target=f"agent:{agent.id}").order_by("id")
    assert [event.event_type for event in told] == [
        "agent_created",
        "agent_changed",
        "agent_deleted",
    ]
    changed = told[1]
    assert changed.event_data == {"changes": {"enabled": {"from": True, "to": False}}}
    assert (changed.subject, changed.action) == (f"user:{company.owner.id}", "agent.change")


def test_the_tokens_of_a_deleted_agent_are_dead(home, alice, company):
    """Otherwise: whoever kept a token of a deleted agent goes on as before."""
    agent = company.agent()
    token, _ = issue_token(company.actor, agent)
    alice.delete(f"{home}{agent.id}/")
    token.refresh_from_db()
    assert token.revoked_by == company.owner
    assert alice.get(f"{home}{agent.id}/tokens/").status_code == 404
    assert alice.post(f"{home}{agent.id}/tokens/", {}, format="json").status_code == 404


def test_an_agent_that_logs_in_otherwise_loses_its_tokens(home, alice, company):
    """Otherwise: beside the certificate the old tokens still open the door."""
    agent = company.agent()
    token, _ = issue_token(company.actor, agent)
    ref = secret_in(company, value="ab" * 32)
    body = {"inbound_auth_method": "mtls", "mtls_cert_ref": ref, "mtls_key_ref": ref}
    assert alice.patch(f"{home}{agent.id}/", body, format="json").status_code == 200
    token.refresh_from_db()
    assert token.revoked_at is not None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"mode": "RUNNER", "inbound_auth_method": "none"}, "/connection"),
        ({}, "/inbound_auth_method"),
        ({"inbound_auth_method": "MTLS", "mtls_cert_ref": None}, "/mtls_cert_ref"),
        ({"inbound_auth_method": "mtls", "mtls_cert_ref": ""}, "/mtls_cert_ref"),
        ({"mode": "rover"}, "/mode"),
        ({"name": ""}, "/name"),
        ({"name": "a\0b"}, "/name"),
        ({"slug": "two words"}, "/slug"),
        ({"tags": "night"}, "/tags"),
        ({"tags": ["x" * 65]}, "/tags/0"),
        ({"environment": "prod"}, "/environment"),
        ({"environment": None}, "/environment"),
        ({"environment": str(uuid4())}, "/environment"),
        ({"service_account": str(uuid4())}, "/service_account"),
        ({"connection": 7}, "/connection"),
        ({"bearer_secret_ref": "sec_guessed"}, "/bearer_secret_ref"),
        ({"inbound_secret_ref": "x" * 65}, "/inbound_secret_ref"),
        ({"nmae": "x"}, "/nmae"),
        ({"enabled": "perhaps"}, "/enabled"),
    ],
)
def test_bad_input_is_told_by_its_field(home, alice, company, body, path):
    """Otherwise: somebody guesses for an hour what was wrong."""
    whole = {"environment": str(company.prod.id), "name": "Clerk", **body}
    assert path in paths(alice.post(home, whole, format="json"))
    assert not Agent.objects.exists()


def test_what_names_an_agent_for_ever_stays(home, alice, company):
    """Otherwise: policies and records mean another agent than they did."""
    agent = company.agent()
    one = f"{home}{agent.id}/"
    moved = alice.patch(one, {"environment": str(company.dev.id)}, format="json")
    assert paths(moved) == ["/environment"]
    assert paths(alice.patch(one, {"slug": "boss"}, format="json")) == ["/slug"]
    same = {"environment": str(company.prod.id), "slug": agent.slug, "name": "Chief"}
    assert alice.patch(one, same, format="json").json()["name"] == "Chief"


def test_what_is_elsewhere_is_not_there(home, alice, company, rival):
    """Otherwise: an agent uses another environment's or another tenant's credential or server."""
    bound = {"environment": company.dev}
    theirs = create_service_account(rival.actor, rival.organization, "theirs")
    narrow = create_service_account(company.actor, company.organization, "narrow", **bound)
    body = {"environment": str(company.prod.id), "name": "x", "inbound_auth_method": "none"}
    for field, value in [
        ("environment", rival.prod.id),
        ("service_account", theirs.id),
        ("service_account", narrow.id),
        ("connection", connection_in(rival.prod).id),
        ("connection", connection_in(company.dev).id),
        ("mtls_cert_ref", secret_in(rival, rival.prod)),
        ("mtls_key_ref", secret_in(company, company.dev)),
    ]:
        answer = alice.post(home, {**body, field: str(value)}, format="json")
        assert paths(answer) == [f"/{field}"]
    here = {
        "connection": str(connection_in(company.prod).id),
        "inbound_secret_ref": secret_in(company, company.prod),
        "bearer_secret_ref": secret_in(company),
    }
    assert alice.post(home, {**body, **here}, format="json").status_code == 201


def test_two_agents_never_share_a_login(home, alice, company, account):
    """Otherwise: an outside login would mean two agents."""
    create_agent(company.actor, company.prod, "one", service_account=account)
    body = {
        "environment": str(company.prod.id),
        "name": "two",
        "service_account": str(account.id),
    }
    assert alice.post(home, body, format="json").status_code == 409


def test_lists_are_narrowed_ordered_and_paged(home, alice, company):
    """Otherwise: among a hundred agents none is found."""
    company.agent("B")
    company.agent("A", company.dev)
    create_agent(company.actor, company.dev, "C", inbound_auth_method="none", enabled=False)
    named = [row["name"] for row in alice.get(f"{home}?ordering=name").json()["results"]]
    assert named == ["A", "B", "C"]
    for query, count in [
        (f"environment={company.dev.id}", 2),
        (f"environment={uuid4()}", 0),
        ("inbound_auth_method=NONE", 1),
        ("enabled=false", 1),
        ("name=B", 1),
        ("mode=RUNNER", 0),
        ("page_size=1", 3),
    ]:
        assert alice.get(f"{home}?{query}").json()["count"] == count, query
    assert alice.get(f"{home}?mode=rover").status_code == 400
    assert alice.get(f"{home}?environment=prod").status_code == 400


def test_a_list_costs_the_same_however_long(
    home, alice, company, django_assert_num_queries, django_assert_max_num_queries
):
    """Otherwise: an organization with many agents waits for its lists."""
    company.agent("first")
    with django_assert_max_num_queries(20) as short:
        alice.get(home)
    for number in range(49):
        company.agent(f"agent {number}")
    with django_assert_num_queries(len(short)):
        assert len(alice.get(home).json()["results"]) == 50


@pytest.mark.parametrize("name", ["vera", "bob", "ada"])
def test_only_an_admin_changes_agents(home, company, name):
    """Otherwise: somebody who may only look lets a program of theirs in."""
    agent, browser = company.agent(), client(company.people[name])
    one = f"{home}{agent.id}/"
    body = {"environment": str(company.prod.id), "name": "x", "inbound_auth_method": "none"}
    assert browser.post(home, body, format="json").status_code == 403
    assert browser.put(one, body, format="json").status_code == 403
    assert browser.patch(one, {"name": "x"}, format="json").status_code == 403
    assert browser.delete(one).status_code == 403
    assert browser.get(home).status_code == (403 if name == "ada" else 200)
    assert browser.get(one).status_code == (403 if name == "ada" else 200)
    assert Agent.objects.get().name == "Clerk"


def test_a_stranger_learns_nothing(home, company, rival):
    """Otherwise: one tenant sees or ends another one's agents."""
    agent, charlie = company.agent(), client(rival.owner)
    theirs = f"/api/v1/orgs/{rival.organization.id}/agents/{agent.id}/"
    for path in (home, f"{home}{agent.id}/", theirs):
        assert charlie.get(path).status_code == 404
    for path in (f"{home}{agent.id}/", theirs):
        assert charlie.patch(path, {"name": "x"}, format="json").status_code == 404
        assert charlie.delete(path).status_code == 404
    assert client().get(home).status_code == 401
    itself = client()
    itself.credentials(HTTP_AUTHORIZATION=f"Bearer {company.token(agent)}")
    assert itself.get(home).status_code == 401
    assert IssuedToken.objects.get().revoked_at is None
