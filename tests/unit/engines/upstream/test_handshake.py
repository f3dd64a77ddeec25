"""Finding out an upstream's era when it does not make it easy."""

import asyncio

import pytest

from agentxsuite.engines.upstream import (
    UpstreamProtocolError,
    UpstreamRpcError,
    UpstreamTimeout,
    UpstreamUnavailable,
    handshake,
)
from tests.servers import mcp_raw


async def test_silent_about_the_question(upstreams, at, serve, monkeypatch):
    """An older server that ignores unknown requests could never be called."""
    monkeypatch.setattr(handshake, "DISCOVERY_SECONDS", 0.1)
    old = mcp_raw.handshake(lambda asked: asked.result({"content": []}))

    def script(asked):
        return asked.gone() if asked.message["method"] == "server/discover" else old(asked)

    server = await serve(script)
    assert await upstreams.call_tool(at(server), "t", {}, timeout=5) == {"content": []}


async def test_hangs_up_on_the_question(upstreams, at, serve):
    """An older server that hangs up on unknown requests could never be called."""
    old = mcp_raw.handshake(lambda asked: asked.result({"content": []}))

    def script(asked):
        if asked.message["method"] == "server/discover":
            asked.writer.transport.abort()
        else:
            old(asked)

    server = await serve(script)
    assert await upstreams.call_tool(at(server), "t", {}, timeout=5) == {"content": []}


async def test_only_foreign_versions(upstreams, at, serve):
    """A person would see a strange error instead of that no version fits."""
    server = await serve(
        lambda asked: asked.error(-32022, data={"supported": ["2099-01-01"]}, status="400 Bad")
    )
    with pytest.raises(UpstreamProtocolError, match="no version"):
        await upstreams.probe(at(server), timeout=5)
    assert len(server.asked) == 1


async def test_discovery_without_a_common_version(upstreams, at, serve):
    """A server that answers the new question but lives in the old era could not be called."""
    old = mcp_raw.handshake(lambda asked: asked.result({}))

    def script(asked):
        if asked.message["method"] == "server/discover":
            asked.result({"supportedVersions": ["2025-11-25"]})
        else:
            old(asked)

    info = await upstreams.probe(at(await serve(script)), timeout=5)
    assert info.era == "handshake"


async def test_many_first_calls_negotiate_once(upstreams, at, serve):
    """The first burst of calls would greet the upstream as many times."""
    server = await serve(mcp_raw.handshake(lambda asked: asked.result({"content": []})))
    endpoint = at(server)
    calls = (upstreams.call_tool(endpoint, "t", {}, timeout=5) for _ in range(20))
    await asyncio.gather(*calls)
    assert server.methods().count("initialize") == 1


async def test_impatient_first_caller(upstreams, at, serve):
    """One impatient caller would spoil the greeting for all who wait."""
    gate = asyncio.Event()

    async def script(asked):
        await gate.wait()
        asked.result(mcp_raw.DISCOVERY)

    server = await serve(script)
    endpoint = at(server)
    patient = asyncio.create_task(upstreams.probe(endpoint, timeout=5))
    with pytest.raises(UpstreamTimeout) as caught:
        await upstreams.call_tool(endpoint, "t", {}, timeout=0.1)
    assert not caught.value.sent
    gate.set()
    assert (await patient).era == "stateless"
    assert server.methods() == ["server/discover"]


async def test_negotiation_without_end(upstreams, at, serve, monkeypatch):
    """A greeting that never ends would keep its task for ever."""
    monkeypatch.setattr(handshake, "NEGOTIATION_SECONDS", 0.1)
    server = await serve(lambda asked: asked.gone())
    with pytest.raises(UpstreamTimeout, match="handshake"):
        await upstreams.probe(at(server), timeout=5)


async def test_failed_greeting_is_tried_again(upstreams, at, serve):
    """An upstream that was down at the first call would stay down for us."""
    down = [True]

    def script(asked):
        if down:
            asked.error(-32603, "starting")
        else:
            asked.result(mcp_raw.DISCOVERY)

    server = await serve(script)
    with pytest.raises(UpstreamRpcError, match="starting") as caught:
        await upstreams.call_tool(at(server), "t", {}, timeout=5)
    assert not caught.value.sent
    down.clear()
    assert (await upstreams.probe(at(server), timeout=5)).era == "stateless"


async def test_forget_while_greeting(upstreams, at, serve):
    """A removed connection would keep talking to its upstream."""
    server = await serve(lambda asked: asked.gone())
    waiting = asyncio.create_task(upstreams.probe(at(server), timeout=5))
    await server.arrived()
    await upstreams.forget("connection")
    with pytest.raises(UpstreamUnavailable, match="closed"):
        await waiting
    await server.all_closed()
