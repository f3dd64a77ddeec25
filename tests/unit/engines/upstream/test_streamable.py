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
from tests.servers.mcp_raw import handshake, stateless

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


async def test_only_own_headers_are_sent(upstreams, at, modern_url):
    """A caller's credential would leak to an upstream, or the connection's own would be missing."""
    endpoint = at(modern_url, headers=(("Authorization", "Bearer own"), ("X-Team", "blue")))
    await upstreams.call_tool(endpoint, "echo", {"text": "x"}, timeout=10)
    headers = (await told(modern_url, "/log"))[-1]
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


async def test_progress_does_not_disturb(upstreams, at, legacy_url):
    """A tool that reports progress would have no result."""
    meta = {"progressToken": 7}
    result = await upstreams.call_tool(at(legacy_url), "chatty", {}, timeout=10, meta=meta)
    assert result["content"][0]["text"] == "done"


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
        await told(url, "/cancelled")


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


async def test_stream_that_breaks_off_after_a_question(upstreams, at, serve):
    """A call would hang because its stream ended while we were answering."""
    streams = []

    async def call(asked):
        if "method" in asked.message:
            streams.append(asked)
            asked.stream(b'{"jsonrpc":"2.0","id":"a","method":"ping"}', end=False)
        else:
            streams[0].writer.transport.abort()
            await streams[0].writer.wait_closed()
            await asyncio.sleep(0)  # the client's turn to notice
            asked.reply(b"", "202 Accepted")

    server = await serve(handshake(call))
    with pytest.raises(UpstreamUnavailable, match="hung up"):
        await upstreams.call_tool(at(server), "t", {}, timeout=5)


async def test_new_era_answers_nothing(upstreams, at, serve):
    """A current upstream would be sent messages that its protocol does not have."""

    def call(asked):
        asked.stream(
            b'{"jsonrpc":"2.0","id":1,"method":"ping"}', asked.answer(result={"content": []})
        )

    server = await serve(stateless(call))
    await upstreams.call_tool(at(server), "t", {}, timeout=5)
    assert server.methods() == ["server/discover", "tools/call"]


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
