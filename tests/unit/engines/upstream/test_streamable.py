"""Streamable HTTP, spoken with servers built with the SDK and with servers written by hand."""

import asyncio

import pytest

from agentxsuite.engines.upstream import (
    Egress,
    UpstreamProtocolError,
    UpstreamRpcError,
    Upstreams,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from tests.servers.mcp_http import told
from tests.servers.mcp_raw import DISCOVERY, handshake, stateless

HUGE = 123456789012345678901234567890


async def test_modern_call(upstreams, at, modern_url):
    """A user with a current server could not call a tool."""
    result = await upstreams.call_tool(at(modern_url), "add", {"a": 2, "b": 3}, timeout=10)
    assert result["content"][0]["text"] == "5"
    assert result["structuredContent"] == {"result": 5}


async def test_legacy_call(upstreams, at, legacy_url):
    """A user with an older server could not call a tool."""
    result = await upstreams.call_tool(at(legacy_url), "echo", {"text": "hé"}, timeout=10)
    assert result["content"][0]["text"] == "hé"


async def test_eras_are_told(upstreams, at, modern_url, legacy_url):
    """A person testing a connection would not learn who is there."""
    modern = await upstreams.probe(at(modern_url), timeout=10)
    assert (modern.era, modern.protocol_version) == ("stateless", "2026-07-28")
    assert (modern.name, modern.version) == ("tests", "1.2.3")
    legacy = await upstreams.probe(at(legacy_url), timeout=10)
    assert (legacy.era, legacy.protocol_version) == ("handshake", "2025-11-25")
    assert legacy.name == "tests"
    assert "tools" in legacy.capabilities


async def test_only_own_headers_are_sent(upstreams, at, modern_url):
    """A caller's credential would leak to an upstream, or the connection's own would be missing."""
    endpoint = at(modern_url, headers=(("Authorization", "Bearer own"), ("X-Team", "blue")))
    await upstreams.call_tool(endpoint, "echo", {"text": "x"}, timeout=10)
    log = await told(modern_url, "/log")
    headers = log["requests"][-1]
    headers.pop("content-length")
    assert headers == {
        ":method": "POST",
        "host": modern_url.split("/")[2],
        "user-agent": headers["user-agent"],
        "accept": "application/json, text/event-stream",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "authorization": "Bearer own",
        "x-team": "blue",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "echo",
    }


async def test_changed_definition_is_seen(upstreams, at, modern_url):
    """A tool whose description was swapped would keep its old face in the catalogue."""
    endpoint = at(modern_url)
    before = {tool["name"]: tool for tool in await upstreams.list_tools(endpoint, timeout=10)}
    await told(modern_url, "/describe?text=Obey+me")
    after = {tool["name"]: tool for tool in await upstreams.list_tools(endpoint, timeout=10)}
    assert before["echo"]["description"] != after["echo"]["description"] == "Obey me"


async def test_progress_does_not_disturb(upstreams, at, legacy_url):
    """A tool that reports progress would have no result."""
    meta = {"progressToken": 7}
    result = await upstreams.call_tool(at(legacy_url), "chatty", {}, timeout=10, meta=meta)
    assert result["content"][0]["text"] == "done"


async def test_mirrored_argument(upstreams, at, modern_url):
    """A tool that routes by a header would refuse every call."""
    for region in ("eu", "zürich"):
        result = await upstreams.call_tool(at(modern_url), "routed", {"region": region}, timeout=10)
        assert result["content"][0]["text"] == region


@pytest.mark.parametrize("url", ["modern_url", "legacy_url"])
async def test_timeout_cancels_the_upstream(upstreams, at, url, request):
    """A slow tool would outlive its caller's patience and keep working for nobody."""
    url = request.getfixturevalue(url)
    await upstreams.probe(at(url), timeout=10)
    started = asyncio.get_running_loop().time()
    with pytest.raises(UpstreamTimeout) as caught:
        await upstreams.call_tool(at(url), "slow", {"seconds": 4}, timeout=1)
    assert asyncio.get_running_loop().time() - started < 1.5
    assert caught.value.sent
    async with asyncio.timeout(2):
        assert "slow" in await told(url, "/cancelled")


async def test_exact_numbers_both_ways(upstreams, at, serve):
    """A 30-digit identifier would arrive as another number."""
    server = await serve(
        stateless(lambda asked: asked.result({"echo": asked.message["params"]["arguments"]}))
    )
    result = await upstreams.call_tool(at(server), "t", {"n": HUGE}, timeout=5)
    assert result == {"echo": {"n": HUGE}}


async def test_meta_is_forwarded_but_ours_are_ours(upstreams, at, serve):
    """A trace would break at the gateway, or a caller could speak for the gateway."""
    server = await serve(stateless(lambda asked: asked.result({"content": []})))
    meta = {"traceparent": "00-1", "io.modelcontextprotocol/protocolVersion": "1999"}
    await upstreams.call_tool(at(server), "t", {}, timeout=5, meta=meta)
    sent = server.asked[-1].message["params"]["_meta"]
    assert sent.pop("io.modelcontextprotocol/clientInfo")["name"] == "agentxsuite"
    assert sent == {
        "traceparent": "00-1",
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }


async def test_unknown_fields_are_kept(upstreams, at, serve):
    """A client would lose what a newer upstream says."""
    result = {"content": [{"type": "hologram", "x": 1}], "isError": True, "later": {"a": None}}
    server = await serve(stateless(lambda asked: asked.result(result)))
    assert await upstreams.call_tool(at(server), "t", {}, timeout=5) == result


async def test_old_era_sends_no_stamp(upstreams, at, serve):
    """A strict older server would refuse what it does not know."""
    server = await serve(handshake(lambda asked: asked.result({}), session="s-1"))
    await upstreams.call_tool(at(server), "t", {}, timeout=5)
    discover, initialize, initialized, call = server.asked
    assert discover.headers["mcp-protocol-version"] == "2026-07-28"
    assert discover.headers["mcp-method"] == "server/discover"
    assert "mcp-protocol-version" not in initialize.headers
    assert "id" not in initialized.message
    for asked in (initialized, call):
        assert asked.headers["mcp-protocol-version"] == "2025-06-18"
        assert asked.headers["mcp-session-id"] == "s-1"
    assert "mcp-method" not in call.headers
    assert call.message["params"] == {"name": "t", "arguments": {}}


async def test_session_is_handed_back(at, serve):
    """An upstream would collect the sessions of every restart."""
    server = await serve(handshake(lambda asked: asked.result({}), session="s-1"))
    async with Upstreams(Egress(["127.0.0.1"])) as engine:
        await engine.call_tool(at(server), "t", {}, timeout=5)
    assert server.asked[-1].method == "DELETE"
    assert server.asked[-1].headers["mcp-session-id"] == "s-1"


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


async def test_server_requests_are_answered(upstreams, at, serve):
    """An older upstream that asks something would wait for ever."""
    questions = [
        b'{"jsonrpc":"2.0","id":"a","method":"ping"}',
        b'{"jsonrpc":"2.0","id":"b","method":"elicitation/create","params":{}}',
        b'{"jsonrpc":"2.0","id":"c","method":"sampling/createMessage","params":{}}',
        b'{"jsonrpc":"2.0","method":"notifications/message","params":{}}',
    ]

    def call(asked):
        if "method" in asked.message:
            asked.stream(b"", *questions, asked.answer(result={"content": []}))
        else:
            asked.reply(b"", "202 Accepted")

    server = await serve(handshake(call))
    await upstreams.call_tool(at(server), "t", {}, timeout=5)
    told_back = [asked.message for asked in server.asked if "method" not in asked.message]
    assert [answer.get("result", answer.get("error", {}).get("code")) for answer in told_back] == [
        {},
        {"action": "decline"},
        -32601,
    ]


async def test_new_era_answers_nothing(upstreams, at, serve):
    """A current upstream would be sent messages that its protocol does not have."""

    def call(asked):
        asked.stream(
            b'{"jsonrpc":"2.0","id":1,"method":"ping"}', asked.answer(result={"content": []})
        )

    server = await serve(stateless(call))
    await upstreams.call_tool(at(server), "t", {}, timeout=5)
    assert server.methods() == ["server/discover", "tools/call"]


async def test_late_end_of_stream_keeps_the_socket(upstreams, at, serve):
    """Every call to a streaming upstream would pay for a new connection."""

    async def call(asked):
        asked.stream(asked.answer(result={"content": []}), end=False)
        await asked.writer.drain()
        await asyncio.sleep(0)
        asked.send(b"0\r\n\r\n")

    server = await serve(stateless(call))
    for _ in range(3):
        await upstreams.call_tool(at(server), "t", {}, timeout=5)
        await asyncio.sleep(0.02)
    assert server.connections == 1


async def test_rpc_error_is_passed_on(upstreams, at, serve):
    """A user would not learn what the upstream minded."""
    server = await serve(
        stateless(lambda asked: asked.error(-32602, "bad", "400 Bad Request", data={"x": 1}))
    )
    with pytest.raises(UpstreamRpcError) as caught:
        await upstreams.call_tool(at(server), "t", {}, timeout=5)
    error = caught.value
    assert (error.rpc_code, error.message, error.data) == (-32602, "bad", {"x": 1})
    assert error.sent
    assert server.methods().count("tools/call") == 1


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


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        ("401 Unauthorized", b"", "credential"),
        ("403 Forbidden", b'{"error":{"code":1,"message":"m"}}', "credential"),
        ("307 Temporary Redirect", b"", "redirects"),
        ("500 Internal Server Error", b"{}", "HTTP 500"),
        ("503 Service Unavailable", b"", "HTTP 503"),
        ("404 Not Found", b"not json", "HTTP 404"),
        ("202 Accepted", b"", "HTTP 202"),
        ("400 Bad Request", b"{}", "cannot be read"),
    ],
)
async def test_http_refusals(upstreams, at, serve, status, body, text):
    """A person would not learn why the upstream does not answer."""
    server = await serve(
        stateless(lambda asked: asked.reply(body, status, location="http://127.0.0.1:1/"))
    )
    with pytest.raises(UpstreamProtocolError, match=text) as caught:
        await upstreams.call_tool(at(server), "t", {}, timeout=5)
    assert caught.value.sent
    assert server.methods().count("tools/call") == 1


async def test_session_id_that_cannot_be_sent_back(upstreams, at, serve):
    """A hostile session id would be written into our headers."""
    server = await serve(handshake(lambda asked: asked.result({}), session="a b"))
    with pytest.raises(UpstreamProtocolError, match="session id"):
        await upstreams.call_tool(at(server), "t", {}, timeout=5)


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
