"""Clients hear that what they may list has changed, and are hung up on when they may not listen."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.agents.models import Agent, IssuedToken
from agentxsuite.control.agents.tokens import revoke_token
from agentxsuite.control.catalog.models import Tool
from agentxsuite.gateway.jsonrpc import META, MODERN
from agentxsuite.gateway.listens import Listens
from tests.story.conftest import serving
from tests.story.talking import PATIENCE, Listening, listen_request, talking

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
TOOLS = "notifications/tools/list_changed"


@pytest.mark.parametrize("mode", ["auto", MODERN])
async def test_a_client_hears_that_its_tools_have_changed(client, world, mode):
    """Otherwise: an agent goes on with tools that it may no longer use, or misses new ones."""
    async with (
        talking(client, world, mode) as connected,
        connected.listen(tools_list_changed=True, prompts_list_changed=True) as subscription,
        asyncio.timeout(PATIENCE),
    ):
        assert subscription.honored.tools_list_changed
        assert (await connected.list_tools()).tools == []
        await sync_to_async(world.allow)("tool:tests/echo")
        await anext(subscription)
        assert [tool.name for tool in (await connected.list_tools()).tools] == ["tests__echo"]
        await sync_to_async(Tool.objects.filter(upstream_name="echo").update)(enabled=False)
        await anext(subscription)
        assert (await connected.list_tools()).tools == []
        assert mode == MODERN or connected.server_capabilities.tools.list_changed


async def test_a_client_hears_of_nothing_that_is_not_its_own(client, world):
    """Otherwise: every edit makes every client in the environment ask for its tools again."""
    other = await sync_to_async(world.company.agent)("Other")
    only = {"path": "principal.id", "op": "eq", "value": str(other.id)}
    token = await sync_to_async(world.company.token)(other)
    async with Listening(client, world) as mine, Listening(client, world, token) as theirs:
        await sync_to_async(world.allow)("tool:tests/*", conditions=only)
        assert (await theirs.next())["method"] == TOOLS
        await sync_to_async(world.allow)("tool:tests/add")
        told = await mine.next()
        assert told["method"] == TOOLS
        assert told["params"]["_meta"] == {f"{META}subscriptionId": "mine"}
        await sync_to_async(world.company.token)(other)  # changes what is nobody's list
        await sync_to_async(world.rule)("deny", "tool:tests/add")
        assert (await mine.next())["method"] == TOOLS
        assert mine.silent


def revoke(world):
    revoke_token(world.company.actor, IssuedToken.objects.get())


def disable_agent(world):
    Agent.objects.update(enabled=False)


@pytest.mark.parametrize("end", [revoke, disable_agent])
async def test_a_stream_ends_with_the_right_to_it(client, world, end):
    """Otherwise: who was locked out goes on listening."""
    async with Listening(client, world) as mine:
        await sync_to_async(end)(world)
        result = await mine.ended()
    assert result["id"] == "mine"
    assert result["result"]["resultType"] == "complete"
    assert result["result"]["_meta"][f"{META}subscriptionId"] == "mine"


@pytest.mark.database(only="postgres")
async def test_every_worker_tells_its_own_clients(world):
    """Otherwise: who happens to be connected elsewhere hears of changes by chance."""
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(serving()) for _ in range(2)]
        listening = [await stack.enter_async_context(Listening(each, world)) for each in workers]
        await sync_to_async(world.allow)()
        for each in listening:
            assert (await each.next())["method"] == TOOLS


async def ask(client, world, wanted, **headers):
    body, lines = listen_request(wanted)
    return await client.post(world.mcp, json=body, headers=lines | world.bearer | headers)


async def test_what_cannot_be_listened_to_is_refused_or_left_out(client, world):
    """Otherwise: a client waits for ever for what never comes."""
    wrong = await ask(client, world, "everything")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, -32602)
    deaf = await ask(client, world, {"toolsListChanged": True}, accept="application/json")
    assert (deaf.status_code, deaf.json()["error"]["code"]) == (400, -32600)
    stranger = await ask(client, world, {"toolsListChanged": True}, authorization="Bearer a.b.c")
    assert stranger.status_code == 401
    wanted = {"toolsListChanged": "yes", "resourceSubscriptions": ["file:///x"]}
    async with Listening(client, world, **wanted) as mine:
        await sync_to_async(world.allow)()
        await sync_to_async(revoke)(world)
        assert "result" in await mine.ended()


async def test_one_client_does_not_take_the_place_of_all(client, world, monkeypatch):
    """Otherwise: one client with a defect makes the gateway deaf to all others."""
    monkeypatch.setattr(Listens, "most_each", 1)
    async with Listening(client, world):
        again = await ask(client, world, {"toolsListChanged": True})
        assert again.json()["error"]["data"]["code"] == "too_many_listens"
        monkeypatch.setattr(Listens, "most_each", 2)
        async with Listening(client, world) as another:
            await sync_to_async(world.allow)()
            assert (await another.next())["method"] == TOOLS
