"""An admin issues a token for an agent, sees it once, and takes it back."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from agentxsuite.control.agents.models import IssuedToken
from agentxsuite.control.agents.services import create_agent, create_service_account, issue_token
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.engines.tokens import Verifier
from tests import cast
from tests.cast import client

company, rival, token_keys = (
    cast.company,
    cast.rival,
    cast.token_keys,
)  # fixtures
pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.usefixtures("token_keys"),
]


@pytest.fixture
def agent(company):
    return company.agent()


@pytest.fixture
def address(agent):
    return f"/api/v1/orgs/{agent.organization_id}/agents/{agent.id}/tokens/"


def test_a_token_is_good_for_its_environment_until_it_is_revoked(
    company,
    agent,
    address,
    token_keys,
):
    """Otherwise: an agent cannot log in, or cannot be stopped."""
    browser = client(company.owner)
    issued = browser.post(address, {"name": "laptop"}, format="json")
    assert issued.status_code == 201
    shown = issued.json()
    assert shown["mcp_url"].endswith(f"/mcp/{agent.organization_id}/{agent.environment_id}/")
    claims = Verifier(token_keys, settings.PUBLIC_URL).verify(
        shown["token"], shown["mcp_url"], time.time()
    )
    assert (claims.jti, claims.agent) == (shown["jti"], str(agent.id))
    assert (claims.subject, claims.scopes) == (f"agent:{agent.id}", {"tool.invoke"})
    assert claims.expires_at - claims.issued_at == 3600

    revoke = f"{address}{shown['jti']}/revoke/"
    first, second = browser.post(revoke).json(), browser.post(revoke).json()
    assert first["revoked_at"] == second["revoked_at"] is not None
    assert first["revoked_by"] == str(company.owner.id)
    kinds = AuditEvent.objects.filter(target=f"agent:{agent.id}").order_by("id")
    assert [event.event_type for event in kinds] == [
        "agent_created",
        "token_issued",
        "token_revoked",
    ]


def test_only_a_dead_token_can_be_deleted(company, agent, address):
    """Otherwise: a token that still opens the door is nowhere to be seen."""
    browser = client(company.owner)
    revoked, _ = issue_token(company.actor, agent)
    expired, _ = issue_token(company.actor, agent)
    one = f"{address}{revoked.jti}/"
    standing = browser.delete(one)
    assert (standing.status_code, standing.json()["code"]) == (409, "token_still_valid")
    browser.post(f"{one}revoke/")
    past = {"expires_at": timezone.now() - timedelta(seconds=1)}
    IssuedToken.objects.filter(id=expired.id).update(**past)
    for jti in (revoked.jti, expired.jti):
        assert browser.delete(f"{address}{jti}/").status_code == 204
        assert browser.delete(f"{address}{jti}/").status_code == 404
    assert browser.get(address).json()["count"] == 0
    told = AuditEvent.objects.filter(event_type="token_deleted").order_by("id")
    assert [event.event_data["jti"] for event in told] == [revoked.jti, expired.jti]
    assert told[0].target == f"agent:{agent.id}"


def test_a_list_costs_the_same_however_long(
    company, agent, address, django_assert_num_queries, django_assert_max_num_queries
):
    """Otherwise: an agent with many tokens makes its admin wait."""
    browser = client(company.people["vera"])
    issue_token(company.actor, agent)
    with django_assert_max_num_queries(20) as short:
        browser.get(address)
    for _ in range(49):
        issue_token(company.actor, agent)
    with django_assert_num_queries(len(short)):
        assert len(browser.get(address).json()["results"]) == 50


def test_a_token_is_shown_once(company, address):
    """Otherwise: whoever may list tokens, or reads the database, can be the agent."""
    token = client(company.owner).post(address, {}, format="json").json()["token"]
    listed = client(company.people["vera"]).get(address)
    assert listed.json()["count"] == 1
    stored = [*IssuedToken.objects.values(), *AuditEvent.objects.values()]
    signature = token.rsplit(".", 1)[1]
    assert signature not in listed.content.decode() + repr(stored)


@pytest.mark.parametrize("name", ["bob", "vera", "ada"])
def test_only_admins_issue_and_revoke(company, address, name):
    """Otherwise: a viewer makes themselves an agent's credential."""
    browser = client(company.people[name])
    assert browser.post(address, {}, format="json").status_code == 403
    assert browser.post(f"{address}x/revoke/").status_code == 403
    assert browser.delete(f"{address}x/").status_code == 403
    assert not IssuedToken.objects.exists()


def test_to_a_stranger_agents_and_tokens_are_not_there(
    company,
    rival,
    agent,
    address,
):
    """Otherwise: a stranger learns what exists, or stops another tenant's agents."""
    row, _ = issue_token(company.actor, agent)
    stranger = client(rival.owner)
    missing = stranger.get(f"/api/v1/orgs/{uuid4()}/agents/{agent.id}/tokens/")
    smuggled = f"/api/v1/orgs/{rival.organization.id}/agents/{agent.id}/tokens/"
    answers = [
        stranger.get(address),
        stranger.post(address, {"scopes": 7}, format="json"),
        stranger.post(f"{address}{row.jti}/revoke/"),
        stranger.get(smuggled),
        stranger.post(f"{smuggled}{row.jti}/revoke/"),
        stranger.delete(f"{address}{row.jti}/"),
        stranger.delete(f"{smuggled}{row.jti}/"),
        client(company.owner).post(f"{address}nothing/revoke/"),
        client(company.owner).get("/api/v1/nowhere/"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {missing.content}
    row.refresh_from_db()
    assert row.revoked_at is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"ttl_seconds": 86_401}, "/ttl_seconds"),
        ({"ttl_seconds": 0}, "/ttl_seconds"),
        ({"ttl_seconds": "soon"}, "/ttl_seconds"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["tool.invoke", "two words"]}, "/scopes/1"),
        ({"scopes": [{"a": 1}]}, "/scopes/0"),
        ({"name": "n" * 201}, "/name"),
        ({"ttl": 60}, "/ttl"),
        ([1], ""),
    ],
)
def test_a_wrong_wish_is_told_where(company, address, body, path):
    """Otherwise: an admin has to guess what was wrong."""
    answer = client(company.owner).post(address, body, format="json")
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


def test_a_token_is_never_wider_than_the_account(company):
    """Otherwise: a token may do what its service account was denied."""
    account = create_service_account(
        company.actor, company.organization, "narrow", scope_allowlist=["tool.invoke"]
    )
    agent = create_agent(company.actor, company.prod, "narrow", service_account=account)
    url = f"/api/v1/orgs/{company.organization.id}/agents/{agent.id}/tokens/"
    browser = client(company.owner)
    wide = browser.post(url, {"scopes": ["tool.invoke", "agent.invoke"]}, format="json")
    assert (wide.status_code, wide.json()["code"]) == (403, "scope_not_allowed")
    assert browser.post(url, {"scopes": ["tool.invoke"]}, format="json").status_code == 201


def test_an_agent_that_logs_in_otherwise_gets_no_token(company):
    """Otherwise: a second, weaker way in stands beside a certificate."""
    agent = create_agent(company.actor, company.dev, "open", inbound_auth_method="NONE")
    url = f"/api/v1/orgs/{company.organization.id}/agents/{agent.id}/tokens/"
    answer = client(company.owner).post(url, {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "agent_takes_no_tokens")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b'{"ttl_seconds": NaN}', 400, "malformed_json"),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, 400, "too_deep"),
        (b'"' + b"x" * 1024 * 1024 + b'"', 413, "body_too_large"),
    ],
)
def test_bad_bodies_get_a_problem(company, address, body, status, code):
    """Otherwise: a broken or hostile client gets a 500, or the server's memory."""
    answer = client(company.owner).post(address, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"


def test_other_media_types_and_methods_are_refused(company, address):
    """Otherwise: a client that sends a form gets silence or a 500."""
    browser = client(company.owner)
    assert browser.post(address, "a=1", content_type="text/plain").status_code == 415
    answer = browser.delete(address)
    assert (answer.status_code, answer.json()["title"]) == (405, "Method not allowed")
