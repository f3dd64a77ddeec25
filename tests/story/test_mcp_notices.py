"""Clients hear that the prompts and resources which they may list have changed."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.agents.services import issue_token
from agentxsuite.control.catalog.models import Connection
from agentxsuite.gateway.jsonrpc import MODERN
from tests.servers.mcp_offers import EVERYTHING, Shop
from tests.story.offering import ACTIONS, offering, permit, result
from tests.story.talking import PATIENCE, Listening, talking

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
PROMPTS = "notifications/prompts/list_changed"
RESOURCES = "notifications/resources/list_changed"
WANTED = {"promptsListChanged": True, "resourcesListChanged": True}
TELLING = {**EVERYTHING, "prompts": {"listChanged": True}, "resources": {"listChanged": True}}


class Telling(Shop):
    """Says when its lists have changed, on the streams that somebody listens to."""

    def __init__(self, **facts):
        super().__init__(capabilities=TELLING, **facts)
        self.streams = asyncio.Queue()

    async def answer(self, asked):
        if asked.method == "GET" or asked.message["method"] == "subscriptions/listen":
            asked.stream(end=False)
            self.streams.put_nowait(asked)
            await asked.gone()
        else:
            super().answer(asked)

    async def listener(self):
        """The stream of whoever listens."""
        async with asyncio.timeout(PATIENCE):
            return await self.streams.get()


@pytest.fixture
async def shop(world):
    async with offering(world) as shop:
        yield shop


async def test_the_sdk_hears_of_prompts_and_resources(client, world, shop):
    """Otherwise: programs that people write with the SDK go on with what they had."""
    async with (
        talking(client, world, MODERN) as connected,
        connected.listen(prompts_list_changed=True, resources_list_changed=True) as subscription,
        asyncio.timeout(PATIENCE),
    ):
        honored = subscription.honored
        assert (honored.prompts_list_changed, honored.resources_list_changed) == (True, True)
        assert (await connected.list_prompts()).prompts == []
        await permit(world, "prompt.get", "prompt:shop/greet")
        await anext(subscription)
        assert [each.name for each in (await connected.list_prompts(cache_mode="bypass")).prompts]


async def test_a_change_of_policy_is_told_to_those_whom_it_concerns(client, world, shop):
    """Otherwise: an agent goes on with what it may no longer use, or all ask at each edit."""
    other = await sync_to_async(world.company.agent)("Other")
    issued = await sync_to_async(issue_token)(world.company.actor, other, scopes=ACTIONS)
    only = {"path": "principal.id", "op": "eq", "value": str(other.id)}
    async with (
        Listening(client, world, **WANTED) as mine,
        Listening(client, world, issued[1], **WANTED) as theirs,
    ):
        await permit(world, "prompt.get", "prompt:shop/*", conditions=only)
        assert (await theirs.next())["method"] == PROMPTS
        await permit(world, "resource.read", "resource:shop/**", conditions=only)
        assert (await theirs.next())["method"] == RESOURCES
        await permit(world, "tool.invoke", "tool:*")
        await permit(world, "resource.read", "resource:shop/file/**")
        for each in (mine, theirs):
            assert (await each.next())["method"] == RESOURCES
        assert mine.silent
        assert theirs.silent


@pytest.mark.parametrize("modern", [True, False])
async def test_what_a_server_says_is_passed_on_to_those_who_may_use_it(client, world, modern):
    """Otherwise: a client that only listens never hears of what a server offers now."""
    stranger = await sync_to_async(world.company.agent)("Stranger")
    issued = await sync_to_async(issue_token)(world.company.actor, stranger, scopes=ACTIONS)
    only = {"path": "principal.id", "op": "eq", "value": str(world.agent.id)}
    async with offering(world, kind=Telling, modern=modern) as shop:
        for action, target in (("prompt.get", "prompt:*"), ("resource.read", "resource:shop/**")):
            await permit(world, action, target, conditions=only)
        async with (
            Listening(client, world, **WANTED) as mine,
            Listening(client, world, issued[1], **WANTED) as theirs,
        ):
            stream = await shop.listener()
            assert len((await result(client, world, "prompts/list"))["prompts"]) == 2
            shop.answers["prompts/list"] = {"prompts": [{"name": "new"}]}
            for method, told in ((PROMPTS, PROMPTS), (RESOURCES, RESOURCES)):
                stream.event(json.dumps({"jsonrpc": "2.0", "method": method}).encode())
                assert (await mine.next())["method"] == told
            (prompt,) = (await result(client, world, "prompts/list"))["prompts"]
            assert prompt["name"] == "shop__new"
            assert mine.silent
            assert theirs.silent


async def test_a_server_that_is_switched_off_takes_its_offers_along(client, world, shop):
    """Otherwise: a client offers people prompts that fail."""
    await permit(world, "prompt.get", "prompt:shop/*")
    async with Listening(client, world, **WANTED) as mine:
        await sync_to_async(Connection.objects.filter(slug="shop").update)(enabled=False)
        assert (await mine.next())["method"] == PROMPTS


async def test_what_a_client_may_not_hear_of_is_not_acknowledged(client, world):
    """Otherwise: a client waits for ever for what never comes."""
    async with Listening(client, world, toolsListChanged=True, **WANTED) as tools_only:
        assert tools_only.honoured == {"toolsListChanged": True}
    async with offering(world), Listening(client, world, **WANTED) as mine:
        assert mine.honoured == WANTED
