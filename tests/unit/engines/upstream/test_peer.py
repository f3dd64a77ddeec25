"""What is remembered of an upstream, and what is asked again."""

import asyncio

import pytest

from agentxsuite.engines.upstream import UpstreamRpcError, UpstreamUnavailable
from tests.servers.mcp_http import told
from tests.servers.mcp_raw import DISCOVERY, handshake, stateless


async def test_eras_are_told(upstreams, at, modern_url, legacy_url):
    """A person testing a connection would not learn who is there."""
    modern = await upstreams.probe(at(modern_url), timeout=10)
    assert (modern.era, modern.protocol_version) == ("stateless", "2026-07-28")
    assert (modern.name, modern.version) == ("tests", "1.2.3")
    legacy = await upstreams.probe(at(legacy_url), timeout=10)
    assert (legacy.era, legacy.protocol_version) == ("handshake", "2025-11-25")
    assert legacy.name == "tests"
    assert "tools" in legacy.capabilities


async def test_changed_definition_is_seen(upstreams, at, modern_url):
    """A tool whose description was swapped would keep its old face in the catalogue."""
    endpoint = at(modern_url)
    before = {tool["name"]: tool for tool in await upstreams.list_tools(endpoint, timeout=10)}
    await told(modern_url, "/describe?text=Obey+me")
    after = {tool["name"]: tool for tool in await upstreams.list_tools(endpoint, timeout=10)}
    assert before["echo"]["description"] != after["echo"]["description"] == "Obey me"


async def test_mirrored_argument(upstreams, at, modern_url):
    """A tool that routes by a header would refuse every call."""
    for region in ("eu", "zürich"):
        result = await upstreams.call_tool(at(modern_url), "routed", {"region": region}, timeout=10)
        assert result["content"][0]["text"] == region


async def test_lost_session_is_renewed_once(upstreams, at, serve):
    """An upstream's restart would fail every call until someone edits the connection."""
    known = {"s-1"}

    def call(asked):
        if asked.headers["mcp-session-id"] in known:
            asked.result({"content": []})
        else:
            asked.error(-32600, "Session not found", "404 Not Found")

    server = await serve(handshake(call, session="s-1"))
    endpoint = at(server)
    await upstreams.call_tool(endpoint, "t", {}, timeout=5)
    known.clear()
    with pytest.raises(UpstreamUnavailable, match="session"):
        await upstreams.call_tool(endpoint, "t", {}, timeout=5)
    assert server.methods()[4:] == [
        "tools/call",
        "initialize",
        "notifications/initialized",
        "tools/call",
    ]
    known.add("s-1")
    await upstreams.call_tool(endpoint, "t", {}, timeout=5)


async def test_after_a_reconnect_anything_may_have_changed(upstreams, at, serve):
    """A server that was replaced by another version would be called as if it were the old one."""
    known, heard = {"s-1"}, []
    upstreams.heed(lambda connection, method: heard.append((connection, method)))

    def call(asked):
        if asked.headers["mcp-session-id"] in known:
            asked.result({"content": []})
        else:
            known.add("s-1")
            asked.error(-32600, "Session not found", "404 Not Found")

    server = await serve(handshake(call, session="s-1"))
    endpoint = at(server)
    await upstreams.call_tool(endpoint, "t", {}, timeout=5)
    assert heard == []
    known.clear()
    await upstreams.call_tool(endpoint, "t", {}, timeout=5)
    assert {connection for connection, _ in heard} == {endpoint.id}
    assert "notifications/tools/list_changed" in {method for _, method in heard}


async def test_session_lost_by_two_at_once(upstreams, at, serve):
    """Calls that learn together of a lost session would greet the upstream one after the other."""
    first, second = asyncio.Event(), asyncio.Event()
    waiting = iter((first, second))

    async def call(asked):
        if turn := next(waiting, None):
            await turn.wait()
            asked.reply(b"", "404 Not Found")
        else:
            asked.result({"content": []})
            second.set()

    server = await serve(handshake(call, session="s-1"))
    calls = [upstreams.call_tool(at(server), "t", {}, timeout=5) for _ in range(2)]
    both = asyncio.gather(*calls)
    await server.arrived(5)
    first.set()
    assert await both == [{"content": []}] * 2
    assert server.methods().count("initialize") == 2


async def test_upgraded_upstream_is_asked_again(upstreams, at, serve):
    """An upstream that changed its protocol version would stay unusable."""
    refused = iter([True])

    def call(asked):
        if next(refused, False):
            asked.error(-32022, data={"supported": ["2025-11-25"]}, status="400 Bad Request")
        else:
            asked.result({"content": []})

    server = await serve(stateless(call))
    assert await upstreams.call_tool(at(server), "t", {}, timeout=5) == {"content": []}
    assert server.methods() == ["server/discover", "tools/call"] * 2


async def test_refused_headers_without_marks(upstreams, at, serve):
    """A call that the upstream refuses for its headers would be repeated in vain."""

    def call(asked):
        if asked.message["method"] == "tools/list":
            asked.result({"tools": [{"name": "t"}]})
        else:
            asked.error(-32020, "mismatch", "400 Bad Request")

    server = await serve(stateless(call))
    with pytest.raises(UpstreamRpcError, match="mismatch"):
        await upstreams.call_tool(at(server), "t", {}, timeout=5)
    assert server.methods().count("tools/call") == 1


async def test_a_fresh_discovery_on_probe(upstreams, at, serve):
    """A second test of a connection would not touch the upstream."""
    server = await serve(lambda asked: asked.result(DISCOVERY))
    for _ in range(2):
        await upstreams.probe(at(server), timeout=5)
    assert server.methods() == ["server/discover"] * 2


async def test_a_ping_on_probe(upstreams, at, serve):
    """A second test of an older connection would not touch the upstream."""
    server = await serve(handshake(lambda asked: asked.result({})))
    for _ in range(2):
        await upstreams.probe(at(server), timeout=5)
    assert server.methods()[-1] == "ping"
