"""Resources, templates, prompts and completions through the MCP door, in both eras."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.agents.services import issue_token
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.catalog.services import create_connection
from agentxsuite.control.runs.models import Run
from agentxsuite.engines.limits import Rate
from agentxsuite.gateway import completing, offered
from agentxsuite.gateway.mcp import paging
from tests.servers.mcp_offers import BLOCKS, EVERYTHING, PROMPTS, RESOURCES, TEMPLATES
from tests.story.offering import error, offering, permit, result, rpc

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
PUB, README = "resource:shop/file/_/pub/**", "shop+file:///pub/readme.md"
ERAS = pytest.mark.parametrize("modern", [True, False])


@pytest.fixture
async def shop(world):
    async with offering(world) as shop:
        await permit(world, "resource.read", PUB)
        await permit(world, "prompt.get", "prompt:shop/*")
        yield shop


@sync_to_async
def uses(**facts):
    rows = AuditEvent.objects.filter(event_type__startswith="use_", **facts).order_by("id")
    return [(row.event_type, row.event_data.get("code")) for row in rows]


@ERAS
async def test_lists_show_what_one_may_use_under_the_names_of_the_address(
    client, world, shop, modern
):
    """Otherwise: agents would see what they may not read, or names that they cannot use."""
    listed = await result(client, world, "resources/list", modern=modern)
    uris = ["shop+file:///pub/plan.md", README]
    assert [each["uri"] for each in listed["resources"]] == uris
    assert listed["resources"][1] == {**RESOURCES[0], "uri": README}
    templates = await result(client, world, "resources/templates/list", modern=modern)
    told = [each["uriTemplate"] for each in templates["resourceTemplates"]]
    assert told == ["shop+file:///pub/{name}"]
    prompts = await result(client, world, "prompts/list", modern=modern)
    names = [each["name"] for each in prompts["prompts"]]
    assert names[1] == "shop__greet"
    assert names[0].startswith("shop__a_")
    for each in (listed, templates, prompts):
        assert (each.get("resultType"), each.get("cacheScope")) == (
            ("complete", "private") if modern else (None, None)
        )
    assert await uses() == []


@ERAS
async def test_the_address_of_one_server_has_its_own_names(client, world, shop, modern):
    """Otherwise: conformance suites could not address one server plainly."""
    how = {"slug": "shop", "modern": modern}
    listed = await result(client, world, "resources/list", **how)
    assert [each["uri"] for each in listed["resources"]] == [
        "file:///pub/plan.md",
        "file:///pub/readme.md",
    ]
    templates = await result(client, world, "resources/templates/list", **how)
    assert templates["resourceTemplates"] == TEMPLATES[:1]
    prompts = await result(client, world, "prompts/list", **how)
    assert {each["name"] for each in prompts["prompts"]} == {each["name"] for each in PROMPTS}
    read = await result(client, world, "resources/read", {"uri": "file:///pub/x"}, **how)
    assert read["contents"][0]["uri"] == "file:///pub/readme.md"
    got = await result(client, world, "prompts/get", {"name": "a/ü"}, **how)
    assert [each["content"] for each in got["messages"]] == BLOCKS
    nobody = await result(client, world, "resources/list", slug="other", modern=modern)
    assert nobody["resources"] == []


@ERAS
async def test_what_is_read_and_got_names_resources_as_the_address_does(
    client, world, shop, modern
):
    """Otherwise: agents could not follow the links that they are given."""
    params = {"uri": README}
    read = await result(client, world, "resources/read", params, modern=modern)
    assert read["contents"] == [{"uri": README, "text": "hello"}]
    params = {"name": "shop__greet", "arguments": {"who": "Ann"}}
    got = await result(client, world, "prompts/get", params, modern=modern)
    blocks = [each["content"] for each in got["messages"]]
    assert blocks[0]["uri"] == "shop+file:///pub/plan.md"
    assert blocks[1]["resource"]["uri"] == README
    assert blocks[2] == BLOCKS[2]
    assert await uses() == [("use_started", None), ("use_finished", None)] * 2
    assert await sync_to_async(Run.objects.count)() == 0


@ERAS
async def test_what_one_may_not_see_is_unknown(client, world, shop, modern):
    """Otherwise: agents could map what they may not read."""
    code = -32602 if modern else -32002
    for uri in ("shop+file:///secret/key", "other+file:///x", "file:///pub/readme.md", "shop+x"):
        told = await error(client, world, "resources/read", {"uri": uri}, modern=modern)
        assert told["code"] == code
        assert told["data"] == {"code": "resource_unknown", "uri": uri}
    for name in ("shop__nothing", "other__greet", "greet"):
        told = await error(client, world, "prompts/get", {"name": name}, modern=modern)
        assert (told["code"], told["data"]) == (-32602, {"code": "prompt_unknown"})
    codes = [code for _, code in await uses()]
    assert codes == ["default_deny", *["resource_unknown"] * 3, *["prompt_unknown"] * 3]
    assert shop.methods("resources/read") == shop.methods("prompts/get") == []


async def test_conditions_see_the_uri_and_the_arguments(client, world, shop):
    """Otherwise: a rule about an argument would not hold, or hide a prompt that some may get."""
    plan = {"path": "input.uri", "op": "suffix", "value": "plan.md"}
    await permit(world, "resource.read", PUB, "deny", conditions=plan)
    boss = {"path": "input.who", "op": "eq", "value": "boss", "on_missing": "no_match"}
    await permit(world, "prompt.get", "prompt:*", "deny", conditions=boss, message="Not the boss.")
    listed = await result(client, world, "resources/list")
    assert [each["uri"] for each in listed["resources"]] == [README]
    assert len((await result(client, world, "prompts/list"))["prompts"]) == 2
    params = {"name": "shop__greet", "arguments": {"who": "boss"}}
    answer = await rpc(client, world, "prompts/get", params)
    told = answer.json()["error"]
    assert (answer.status_code, told["code"], told["message"]) == (200, -32603, "Not the boss.")
    assert told["data"]["code"] == "explicit_deny"
    assert told["data"]["decision_id"]
    params["arguments"] = {"who": "Ann"}
    assert (await rpc(client, world, "prompts/get", params)).status_code == 200


async def test_too_often_is_told_with_when_to_come_back(client, world, shop):
    """Otherwise: an agent could read a server to death."""
    await permit(world, "resource.read", PUB, terms={"rate": {"per_minute": 1}}, name="slow")
    params = {"uri": README}
    assert (await rpc(client, world, "resources/read", params)).status_code == 200
    slow = await rpc(client, world, "resources/read", {"uri": "shop+file:///pub/plan.md"})
    assert slow.json()["error"]["data"]["code"] == "rate_limited"
    assert int(slow.headers["retry-after"]) > 0


async def test_mistakes_are_told_before_the_server_is_asked(client, world, shop):
    """Otherwise: servers would have to make sense of what makes none."""
    for method, params in (
        ("resources/read", {"uri": 7}),
        ("prompts/get", {"name": "shop__greet", "arguments": []}),
        ("prompts/get", {"name": "shop__greet"}),
        ("completion/complete", {"ref": {"type": "ref/other"}}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": 7}}),
        ("resources/list", {"cursor": 7}),
    ):
        told = await error(client, world, method, params, modern=False)
        assert told["code"] == -32602, (method, told)
    assert shop.methods("resources/read") == shop.methods("prompts/get") == []


@ERAS
@pytest.mark.parametrize("upstream_modern", [True, False])
async def test_the_servers_own_errors_come_as_they_are(client, world, modern, upstream_modern):
    """Otherwise: a client could not tell what the server minded."""
    async with offering(world, modern=upstream_modern) as shop:
        await permit(world, "resource.read", PUB)
        shop.errors["resources/read"] = (-32099, "not today", {"why": [1]})
        params = {"uri": README}
        answer = await rpc(client, world, "resources/read", params, modern=modern)
        assert answer.status_code == 200
        told = {"code": -32099, "message": "not today", "data": {"why": [1]}}
        assert answer.json()["error"] == told
        shop.errors["resources/read"] = (-32020, "header", None)
        mismatch = await error(client, world, "resources/read", params, modern=modern)
        assert (mismatch["code"], mismatch["data"]["code"]) == (-32603, "upstream_rpc")
    finished = await sync_to_async(AuditEvent.objects.filter)(event_type="use_finished")
    rows = await sync_to_async(lambda: [row.event_data["outcome_code"] for row in finished])()
    assert rows == ["upstream_error"] * 2


@ERAS
async def test_completions_are_for_what_one_may_see(client, world, shop, modern):
    """Otherwise: suggestions would tell of prompts and templates that one may not use."""
    argument = {"argument": {"name": "who", "value": "A"}, "context": {"x": 1}}
    for ref, own in (
        ({"type": "ref/prompt", "name": "shop__greet"}, {"type": "ref/prompt", "name": "greet"}),
        (
            {"type": "ref/resource", "uri": "shop+file:///pub/{name}"},
            {"type": "ref/resource", "uri": "file:///pub/{name}"},
        ),
        (
            {"type": "ref/resource", "uri": README},
            {"type": "ref/resource", "uri": RESOURCES[0]["uri"]},
        ),
    ):
        params = {"ref": ref, **argument}
        told = await result(client, world, "completion/complete", params, modern=modern)
        assert told["completion"]["values"] == ["one", "two"]
        heard = shop.methods("completion/complete")[-1]
        assert {name: heard[name] for name in ("ref", "argument", "context")} == {
            "ref": own,
            **argument,
        }
    assert await uses() == []
    for ref, noun in (
        ({"type": "ref/prompt", "name": "shop__no"}, "prompt"),
        ({"type": "ref/resource", "uri": "shop+file:///secret/{name}"}, "resource"),
        ({"type": "ref/resource", "uri": "other+file:///{name}"}, "resource"),
    ):
        params = {"ref": ref, **argument}
        told = await error(client, world, "completion/complete", params, modern=modern)
        assert told["data"]["code"] == f"{noun}_unknown"
    assert len(shop.methods("completion/complete")) == 3


async def test_completions_have_a_limit_of_their_own(client, world, shop, monkeypatch):
    """Otherwise: typing would use up what reading may cost, or have no end."""
    monkeypatch.setattr(completing, "RATE", Rate(1, 1))
    params = {"ref": {"type": "ref/prompt", "name": "shop__greet"}, "argument": {}}
    assert "completion" in await result(client, world, "completion/complete", params)
    told = await error(client, world, "completion/complete", params)
    assert told["data"]["code"] == "rate_limited"


async def test_a_server_that_is_down_does_not_break_the_list_of_the_others(
    client, world, shop, monkeypatch
):
    """Otherwise: one broken server would hide what all others offer."""
    monkeypatch.setattr(offered, "PATIENCE", 0.5)
    company = world.company
    await permit(world, "resource.read", "resource:*/**")
    gone = "http://127.0.0.1:9/mcp"
    await sync_to_async(create_connection)(company.actor, company.prod, "Gone", gone)
    async with offering(world, "Stuck") as stuck:
        del stuck.answers["resources/list"]
        stuck.errors["resources/list"] = (-32000, "no", None)
        listed = await result(client, world, "resources/list")
        assert [each["uri"][:5] for each in listed["resources"]] == ["shop+"] * 3
        assert listed["ttlMs"] == paging.UNSURE_MS
        alone = await rpc(client, world, "resources/list", slug="gone")
        assert alone.json()["error"]["data"]["code"] == "upstream_unavailable"
    assert await uses() == []


async def test_a_server_is_asked_once_for_all_who_want_to_know(client, world, shop):
    """Otherwise: every list would cost every server a request."""
    await asyncio.gather(*(result(client, world, "resources/list") for _ in range(5)))
    assert len(shop.methods("resources/list")) == 1
    await rpc(client, world, "prompts/get", {"name": "shop__no"})
    assert len(shop.methods("prompts/list")) == 1  # as good as new


async def test_lists_come_in_pages(client, world, shop, monkeypatch):
    """Otherwise: a thousand resources would come as one answer."""
    monkeypatch.setattr(paging, "PAGE", 1)
    first = await result(client, world, "resources/list")
    second = await result(client, world, "resources/list", {"cursor": first["nextCursor"]})
    assert [len(first["resources"]), len(second["resources"])] == [1, 1]
    assert "nextCursor" not in second


async def test_what_is_offered_is_what_servers_say_and_the_token_is_good_for(client, world):
    """Otherwise: clients would look for what is not there, or not for what is."""
    async with offering(world, capabilities={"prompts": {}, "logging": {}}):
        told = (await result(client, world, "server/discover", slug="shop"))["capabilities"]
        assert set(told) == {"tools", "prompts", "logging"}
        assert told["tools"] == {"listChanged": True}
        assert (await result(client, world, "resources/list", slug="shop"))["resources"] == []
        params = {"protocolVersion": "2025-11-25"}
        old = await result(client, world, "initialize", params, slug="shop", modern=False)
        assert old["capabilities"]["tools"] == {"listChanged": False}
        issued = await sync_to_async(issue_token)(
            world.company.actor, world.agent, scopes=["tool.invoke"]
        )
        world.token = issued[1]
        narrow = (await result(client, world, "server/discover", slug="shop"))["capabilities"]
        assert set(narrow) == {"tools", "logging"}
        assert (await rpc(client, world, "prompts/list")).status_code == 403


async def test_of_a_server_that_cannot_be_asked_everything_is_hoped(client, world, monkeypatch):
    """Otherwise: a server that starts slowly would seem to offer nothing, for ever."""
    company = world.company
    make = sync_to_async(create_connection)
    await make(company.actor, company.prod, "Gone", "http://127.0.0.1:9/mcp")
    issued = await sync_to_async(issue_token)(company.actor, world.agent, scopes=["*"])
    world.token = issued[1]
    told = (await result(client, world, "server/discover", slug="gone"))["capabilities"]
    assert set(told) == {"tools", *(set(EVERYTHING))}


async def test_a_closed_connection_offers_nothing(client, world, shop):
    """Otherwise: switching a connection off would leave its resources readable."""
    await sync_to_async(Connection.objects.filter(slug="shop").update)(enabled=False)
    assert (await result(client, world, "resources/list"))["resources"] == []
    assert (await result(client, world, "server/discover", slug="shop"))["capabilities"] == {
        "tools": {"listChanged": True}
    }
    told = await error(client, world, "resources/read", {"uri": README})
    assert told["data"]["code"] == "connection_disabled"
    named = await error(client, world, "prompts/get", {"name": "shop__greet"})
    assert named["data"]["code"] == "prompt_unknown"
    params = {"ref": {"type": "ref/resource", "uri": README}, "argument": {}}
    suggested = await error(client, world, "completion/complete", params)
    assert suggested["data"]["code"] == "resource_unknown"
    assert shop.methods("resources/read") == shop.methods("prompts/list") == []
