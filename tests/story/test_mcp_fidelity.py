"""What is not ours is handed on as equal JSON values, in both directions: generated messages.

The whole server, before an upstream that keeps what it heard and answers what it is told to.
"""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentxsuite.control.catalog.models import Connection
from agentxsuite.gateway.jsonrpc import META
from tests.story.conftest import synced
from tests.story.offering import offering, permit, result

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
EXAMPLES = 40

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers() | st.integers(10**20, 10**30)
numbers |= st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | text
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3)
)
names = text.filter(lambda name: not name.startswith(META))
OURS = ["_meta", "resultType", "content", "isError", "contents", "messages", "ttlMs", "cacheScope"]
unknown = st.dictionaries(names.filter(lambda name: name not in OURS), values, max_size=3)
meta = st.dictionaries(
    names.filter(lambda name: name not in {"progressToken", "agentxsuite/refusal"}),
    values,
    max_size=3,
).map(lambda made: {**made, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b71-01"})
block = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "audio", "resource_link", "resource", "other"])},
    optional={
        "text": text,
        "data": text,
        "uri": text,
        "annotations": values,
        "resource": st.fixed_dictionaries({"uri": text}, optional={"blob": text, "x": values}),
        "_meta": values,
        "x-unknown": values,
    },
)
answers = st.fixed_dictionaries(
    {"content": st.lists(block, max_size=3), "isError": st.booleans()},
    optional={"structuredContent": values, "_meta": meta},
)
params = unknown.map(
    lambda made: {
        name: value
        for name, value in made.items()
        if name not in {"name", "arguments", "uri", "task", "inputResponses", "requestState"}
    }
)
DEFINITION = {
    "name": "echo",
    "title": "Echo",
    "inputSchema": {"type": "object", "x-more": [1]},
    "outputSchema": {"type": "object"},
    "annotations": {"readOnlyHint": True, "x": {}},
    "icons": [{"src": "data:,", "sizes": ["1x1"]}],
    "_meta": {"a/b": 1},
    "x-unknown": {"deep": [None]},
}


def without_ours(made: Any) -> Any:
    """A result without what this server says of itself."""
    left = {name: value for name, value in made.items() if name != "resultType"}
    told = {key: value for key, value in (left.pop("_meta", None) or {}).items() if META not in key}
    return left, told


def passed_on(made: Any) -> Any:
    """The ``_meta`` of a request without what is between this server and the upstream."""
    return {k: v for k, v in made.items() if META not in k and k != "progressToken"}


def theirs(made: Any) -> Any:
    left = {name: value for name, value in made.items() if name != "_meta"}
    return left, made.get("_meta", {})


@pytest.fixture
async def shop(world):
    async with offering(world) as shop:
        shop.answers["tools/list"] = {"tools": [DEFINITION]}
        connection = await sync_to_async(Connection.objects.get)(slug="shop")
        await sync_to_async(synced_now)(world, connection)
        rate = {"rate": {"per_minute": 1_000_000}}
        for action in ("tool.invoke", "resource.read", "prompt.get"):
            await permit(world, action, "*", terms=rate)
        yield shop


def synced_now(world, connection):
    synced(world.company, connection)


@pytest.mark.parametrize("modern", [True, False])
@pytest.mark.parametrize("slug", ["shop", None])
async def test_a_call_goes_and_comes_back_equal(world, shop, client, modern, slug):
    """Otherwise: what a client and a server agreed on would be lost on the way."""
    name = "echo" if slug else "shop__echo"

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(text, values, max_size=3), params, meta, unknown, answers)
    def trial(arguments, more, said, unheard, answer):
        shop.answers["tools/call"] = {**unheard, **answer}
        asked = {"name": name, "arguments": arguments, **more, "_meta": said}
        told = run(result(client, world, "tools/call", asked, slug=slug, modern=modern))
        heard = shop.heard[-1]["params"]
        assert heard.pop("name") == "echo"
        assert heard.pop("arguments") == arguments
        assert passed_on(heard.pop("_meta")) == said
        assert heard == more
        if slug:
            assert without_ours(told) == theirs({**unheard, **answer})

    loop = asyncio.get_running_loop()

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    await asyncio.to_thread(trial)


async def test_reading_and_getting_go_and_come_back_equal(world, shop, client):
    """Otherwise: what is read or got would not be what the server said."""

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(params, meta, unknown, st.lists(block, max_size=3), st.dictionaries(text, text))
    def trial(more, said, unheard, blocks, arguments):
        shop.answers["resources/read"] = {**unheard, "contents": blocks}
        asked = {"uri": "file:///pub/x", **more, "_meta": said}
        read, _ = without_ours(run(result(client, world, "resources/read", asked, slug="shop")))
        assert read == {**unheard, "contents": blocks, "ttlMs": 60_000, "cacheScope": "private"}
        assert {**shop.heard[-1]["params"], "_meta": {}} == {**asked, "_meta": {}}
        messages = [{"role": "user", "content": each, "x": 1} for each in blocks]
        shop.answers["prompts/get"] = {**unheard, "messages": messages}
        asked = {"name": "a/ü", **more, "_meta": said}
        asked |= {"arguments": arguments} if arguments else {}
        got, _ = without_ours(run(result(client, world, "prompts/get", asked, slug="shop")))
        assert got == {**unheard, "messages": messages}
        heard = shop.heard[-1]["params"]
        assert {**heard, "_meta": {}} == {**asked, "_meta": {}}
        assert passed_on(heard["_meta"]) == said

    loop = asyncio.get_running_loop()

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    await asyncio.to_thread(trial)


async def test_definitions_come_as_they_are(world, shop, client):
    """Otherwise: clients would miss schemas, hints and icons."""
    for slug, name in (("shop", "echo"), (None, "shop__echo")):
        listed = await result(client, world, "tools/list", slug=slug)
        found = [each for each in listed["tools"] if each["name"] == name]
        assert found == [{**DEFINITION, "name": name}]


async def test_the_upstream_is_told_who_asks_not_who_asked_us(world, shop, client):
    """Otherwise: a client could speak to a server in the gateway's name."""
    forged = {f"{META}clientInfo": {"name": "evil"}, f"{META}logLevel": "debug", "a": 1}
    asked = {"name": "echo", "_meta": forged}
    shop.answers["tools/call"] = {"content": []}
    await result(client, world, "tools/call", asked, slug="shop")
    said = shop.heard[-1]["params"]["_meta"]
    assert said[f"{META}clientInfo"]["name"] == "agentxsuite"
    assert said["a"] == 1
