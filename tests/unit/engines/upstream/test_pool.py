"""Sockets between calls."""

import asyncio

import pytest

from agentxsuite.engines.upstream import UpstreamUnavailable, pool
from tests.servers.mcp_raw import stateless


async def test_idle_sockets_are_closed(upstreams, at, serve, monkeypatch):
    """Sockets of a burst would stay open for ever, or be written to when the upstream hangs up."""
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.2)
    gate = asyncio.Event()

    async def call(asked):
        if asked.message["params"]["name"] == "slow":
            await gate.wait()
        asked.result({"content": []})

    server = await serve(stateless(call))
    endpoint = at(server)
    slow = asyncio.create_task(upstreams.call_tool(endpoint, "slow", {}, timeout=5))
    await server.arrived(2)
    await upstreams.call_tool(endpoint, "quick", {}, timeout=5)
    assert server.open == 2
    asyncio.get_running_loop().call_later(0.1, gate.set)
    await slow
    await server.all_closed()
    assert server.open == 0
    await upstreams.call_tool(endpoint, "quick", {}, timeout=5)


async def test_stream_without_end(upstreams, at, serve, monkeypatch):
    """An upstream that never ends its streams would use up all its sockets for ever."""
    monkeypatch.setattr(pool, "LINGER_SECONDS", 0.05)
    server = await serve(
        stateless(lambda asked: asked.stream(asked.answer(result={"content": []}), end=False))
    )
    await upstreams.call_tool(at(server), "t", {}, timeout=5)
    await server.all_closed()
    await upstreams.call_tool(at(server), "t", {}, timeout=5)
    await upstreams.forget("connection")
    await server.all_closed()


async def test_late_end_of_stream_keeps_the_socket(upstreams, at, serve):
    """Every call to a streaming upstream would pay for a new connection."""
    server = await serve(
        stateless(lambda asked: asked.stream(asked.answer(result={"content": []}), end=False))
    )
    for _ in range(3):
        await upstreams.call_tool(at(server), "t", {}, timeout=5)
        lingering = upstreams._peers["connection"][1]._channel._pool._lingering
        server.asked[-1].send(b"0\r\n\r\n")
        await asyncio.wait(lingering)
    assert server.connections == 1


async def test_connection_is_reused(upstreams, at, serve):
    """Every call would pay for a new connection."""
    server = await serve(stateless(lambda asked: asked.result({"content": []})))
    for _ in range(5):
        await upstreams.call_tool(at(server), "t", {}, timeout=5)
    assert server.connections == 1


async def test_dying_socket_repeats_no_call(upstreams, at, serve):
    """A tool would run twice because a socket died at the wrong moment."""

    def call(asked):
        if asked.message["method"] == "tools/list" and server.connections > 1:
            asked.result({"tools": []})
        else:
            asked.writer.transport.abort()

    server = await serve(stateless(call))
    endpoint = at(server)
    await upstreams.probe(endpoint, timeout=5)
    with pytest.raises(UpstreamUnavailable) as caught:
        await upstreams.call_tool(endpoint, "t", {}, timeout=5)
    assert caught.value.sent
    assert server.methods() == ["server/discover", "tools/call"]


async def test_dying_socket_repeats_a_list(upstreams, at, serve):
    """A harmless question would fail because the upstream had just closed an idle socket."""

    def call(asked):
        if server.connections > 1:
            asked.result({"tools": []})
        else:
            asked.writer.transport.abort()

    server = await serve(stateless(call))
    endpoint = at(server)
    await upstreams.probe(endpoint, timeout=5)
    assert await upstreams.list_tools(endpoint, timeout=5) == []
    assert server.methods() == ["server/discover", "tools/list", "tools/list"]
