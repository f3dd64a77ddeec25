"""Plain JSON where nothing was told, a stream where something was."""

import asyncio

import pytest
from msgspec import structs

from agentxsuite.gateway.jsonrpc import META, Message, RpcError
from agentxsuite.gateway.mcp.exchange import Address, Exchange
from agentxsuite.gateway.mcp.relay import PROGRESS
from agentxsuite.gateway.mcp.streaming import Streaming
from agentxsuite.gateway.refusals import UpstreamFailed
from tests.unit.gateway.building import ENVIRONMENT, ORGANIZATION, call
from tests.unit.gateway.shelf import gate
from tests.unit.gateway.test_http import asked
from tests.unit.gateway.test_sse import Reader

STEP = {"method": PROGRESS, "params": {"progressToken": 1, "progress": 1}}


async def stays():
    await asyncio.Event().wait()


def exchange(meta, accept="application/json, text/event-stream"):
    message = Message(5, "tools/call", {"name": "x", "_meta": meta})
    address = Address(ORGANIZATION, ENVIRONMENT, None)
    request = structs.replace(asked(accept=accept), receive=stays)
    return Exchange(request, address, gate(), message, True, call(door="mcp"))  # noqa: FBT003  current era


def working(*steps, end=None):
    """A handler whose upstream says so much."""

    async def handle(exchange):
        for step in steps:
            await exchange.call.listener.hear(step)
        if end:
            raise end
        return {"content": [], "heard": exchange.call.listener is not None}

    return Streaming(handle)


async def delivered(handle, talk):
    reader = Reader()
    reply = await handle(talk)
    await reply.deliver(talk.request, reader)
    kind = dict(reader.head["headers"])[b"content-type"]
    return kind, reader


async def test_what_nobody_wants_to_hear_is_answered_at_once():
    """Otherwise: programs that read JSON get a stream."""
    result = await working()(exchange({}))
    assert result == {"content": [], "heard": False}
    deaf = await working()(exchange({"progressToken": 1}, accept="application/json"))
    assert deaf["heard"] is False
    able = {f"{META}clientCapabilities": {"elicitation": {}}}
    assert (await working()(exchange(able)))["heard"] is True


async def test_an_answer_without_news_is_plain():
    """Otherwise: every answer pays for a stream, and errors lose their status."""
    kind, _ = await delivered(working(), exchange({"progressToken": 1}))
    assert kind == b"application/json"
    kind, reader = await delivered(
        working(end=RpcError(-32602, "no")), exchange({"progressToken": 1})
    )
    assert (kind, reader.head["status"]) == (b"application/json", 400)


@pytest.mark.parametrize(
    ("end", "member"), [(None, "result"), (UpstreamFailed("upstream_error", "Broken."), "result")]
)
async def test_an_answer_after_news_ends_the_stream(end, member):
    """Otherwise: a call that told of its progress has no end."""
    kind, reader = await delivered(working(STEP, STEP, end=end), exchange({"progressToken": "t"}))
    assert kind == b"text/event-stream"
    *steps, last = reader.messages
    assert [step["params"]["progressToken"] for step in steps] == ["t", "t"]
    assert (last["id"], member in last) == (5, True)
    assert not reader.more
