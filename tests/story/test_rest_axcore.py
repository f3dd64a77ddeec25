"""One request makes an agent that can begin at once; or nothing at all."""

import time

import pytest
from django.conf import settings

from agentxsuite.control.agents.models import Agent, IssuedToken, ServiceAccount
from agentxsuite.control.agents.services import create_agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule
from agentxsuite.engines.tokens import Verifier
from tests import cast
from tests.cast import client

company, rival, token_keys = cast.company, cast.rival, cast.token_keys  # fixtures
pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.usefixtures("token_keys"),
]


@pytest.fixture
def address(company):
    return f"/api/v1/orgs/{company.organization.id}/agents/create-axcore/"


@pytest.fixture
def body(company):
    return {"environment": str(company.prod.id), "name": "Clerk", "targets": ["tool:pdf/*"]}


def test_everything_is_made_and_belongs_together(company, address, body, token_keys):
    """Otherwise: the first call of a new agent takes a day of forms."""
    answer = client(company.owner).post(address, {**body, "ttl_seconds": 600}, format="json")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    agent = Agent.objects.get(id=made["agent"]["id"])
    assert str(agent.service_account_id) == made["service_account"]["id"]
    assert agent.service_account.scope_allowlist == ["tool.invoke"]
    rule = PolicyRule.objects.get(policy=made["policy"]["id"])
    assert (rule.action, rule.target, rule.effect) == ("tool.invoke", "tool:pdf/*", "allow")
    binding = PolicyBinding.objects.get(policy=made["policy"]["id"])
    assert (binding.scope_type, binding.scope_id) == ("agent", str(agent.id))
    assert Policy.objects.get().environment == company.prod
    token = made["token"]
    claims = Verifier(token_keys, settings.PUBLIC_URL).verify(
        token["token"], token["mcp_url"], time.time()
    )
    assert (claims.jti, claims.agent) == (token["jti"], str(agent.id))
    assert claims.expires_at - claims.issued_at == 600
    told = AuditEvent.objects.order_by("-id")[:4]
    assert [event.event_type for event in reversed(told)] == [
        "service_account_created",
        "agent_created",
        "policy_created",
        "token_issued",
    ]


def test_the_token_is_shown_once(company, address, body):
    """Otherwise: whoever reads the database can be the agent."""
    token = client(company.owner).post(address, body, format="json").json()["token"]["token"]
    stored = [*IssuedToken.objects.values(), *AuditEvent.objects.values()]
    assert token.rsplit(".", 1)[1] not in repr(stored)


def test_every_action_is_allowed_on_every_target(company, address, body):
    """Otherwise: an agent with two servers is only half allowed."""
    wide = {"actions": ["tool.invoke", "prompt.get"], "targets": ["tool:a/*", "tool:b/*"]}
    client(company.owner).post(address, {**body, **wide}, format="json")
    assert PolicyRule.objects.count() == 4


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"targets": ["tool:pdf/*", "pdf"]}, "/targets/1"),
        ({"targets": ["tool:a", "tool:b/**/c"], "actions": ["tool.invoke", "a.b"]}, "/targets/1"),
        ({"actions": ["tool.invoke", "tool..x"]}, "/actions/1"),
        ({"actions": ["two words"]}, "/actions/0"),
        ({"targets": []}, "/targets"),
        ({"targets": None}, "/targets"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 91}, "/name"),
        ({"ttl_seconds": 86_401}, "/ttl_seconds"),
        ({"environment": "prod"}, "/environment"),
        ({"tool": "pdf"}, "/tool"),
    ],
)
def test_a_wrong_wish_makes_nothing(company, address, body, wrong, path):
    """Otherwise: half an agent is left, and its name is taken."""
    answer = client(company.owner).post(address, {**body, **wrong}, format="json")
    assert answer.status_code == 400, answer.content
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]
    for model in (ServiceAccount, Agent, Policy, IssuedToken):
        assert not model.objects.exists()


def test_a_name_that_is_taken_makes_nothing(company, address, body):
    """Otherwise: a second try leaves logins behind that nobody knows of."""
    create_agent(company.actor, company.prod, "Clerk", inbound_auth_method="none")
    events = AuditEvent.objects.count()
    answer = client(company.owner).post(address, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert not ServiceAccount.objects.exists()
    assert AuditEvent.objects.count() == events


def test_only_an_admin_of_the_organization_may(company, rival, address, body):
    """Otherwise: a viewer, or a stranger, lets a program of theirs in."""
    for name in ("vera", "bob", "ada"):
        answer = client(company.people[name]).post(address, body, format="json")
        assert answer.status_code == 403
    assert client(rival.owner).post(address, body, format="json").status_code == 404
    assert client().post(address, body, format="json").status_code == 401
    theirs = f"/api/v1/orgs/{rival.organization.id}/agents/create-axcore/"
    smuggled = client(rival.owner).post(theirs, body, format="json")
    assert [fault["path"] for fault in smuggled.json()["errors"]] == ["/environment"]
    assert not Agent.objects.exists()
