"""Agents that only say who they are: in development, where operator and environment allow it."""

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.agents.services import create_agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.tenancy.models import Environment
from tests.story.conftest import serving

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture
def open_agent(world, settings):
    """An agent without a credential; the world's environment is one for development."""
    world.allow()
    settings.AGENTS_BY_NAME = "embedded"
    Environment.objects.filter(id=world.company.prod.id).update(type="dev")
    company = world.company
    return create_agent(company.actor, company.prod, "Open", inbound_auth_method="none")


async def called(world, name, **body):
    """Call a tool by a name; answers the status and the code."""
    async with serving() as client:
        answer = await client.post(world.execute, json=ECHO | body, headers={"x-agent": name})
        return answer.status_code, answer.json().get("code")


CLOSED = (401, "unauthenticated")


async def test_an_open_agent_is_named_at_every_door(world, open_agent):
    """Otherwise: trying things out takes a credential."""
    for name in (str(open_agent.id), "open", "OPEN"):
        assert await called(world, name) == (201, None)
    assert await called(world, "open", environment="prod", agent="open") == (201, None)
    assert await called(world, "open", agent=world.agent.slug) == (403, "agent_mismatch")
    async with serving() as client:
        for address in (world.mcp, f"{world.mcp}tests/"):
            shown = await client.post(address, json=LIST, headers={"x-agent": "open"})
            assert shown.json()["result"]["tools"]
    event = await AuditEvent.objects.filter(event_type="run_finished").afirst()
    assert event.context["auth_method"] == "none"


async def test_the_server_says_no_unless_told(world, open_agent, settings):
    """Otherwise: a default opens the door to everybody."""
    settings.AGENTS_BY_NAME = "no"
    assert await called(world, "open") == CLOSED


@pytest.mark.parametrize("kind", ["stage", "prod"])
async def test_other_environments_stay_closed(world, open_agent, kind):
    """Otherwise: a development setting opens production."""
    await Environment.objects.filter(id=world.company.prod.id).aupdate(type=kind)
    assert await called(world, "open") == CLOSED


async def test_every_other_name_is_answered_alike(world, open_agent):
    """Otherwise: names are tried out, or an agent with a credential comes in without it."""
    company = world.company
    for name in (world.agent.slug, str(world.agent.id), "nobody", "", "x" * 300):
        assert await called(world, name) == CLOSED
    assert await called(world, "open", environment="nowhere") == CLOSED
    make = sync_to_async(create_agent)
    await make(company.actor, company.dev, "Open", inbound_auth_method="none")
    assert await called(world, "open") == CLOSED
    assert await called(world, "open", environment="prod") == (201, None)
    await Environment.objects.filter(id=company.dev.id).aupdate(deleted_at=company.dev.created_at)
    elsewhere = f"/mcp/{company.organization.id}/{company.dev.id}/"
    async with serving() as client:
        answer = await client.post(elsewhere, json=LIST, headers={"x-agent": "open"})
    assert answer.status_code == 401


async def test_a_credential_is_never_made_up_for_by_a_name(world, open_agent):
    """Otherwise: a refused credential turns into an open door."""
    async with serving() as client:
        headers = {"x-agent": "open", "authorization": "Bearer wrong"}
        answer = await client.post(world.execute, json=ECHO, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_unknown")
