"""The deprecated HTTP+SSE transport, spoken with the SDK's server and with one written by hand."""

import asyncio

import pytest

from agentxsuite.engines.upstream import (
    Egress,
    EgressDenied,
    UpstreamProtocolError,
    UpstreamRpcError,
    Upstreams,
    UpstreamTimeout,
    UpstreamUnavailable,
    hearing,
)
from tests.servers import mcp_http
from tests.servers.mcp_http import told
from tests.servers.mcp_sse import Old, accept, chunk

TOOLS = "notifications/tools/list_changed"


@pytest.fixture(scope="session")
def sse_url():
    """A real server of the SDK."""
    with mcp_http.running("--sse") as url:
        yield url


@pytest.fixture
def old(serve, at):
    """Start a server written by hand; returns it and an endpoint for it."""

    async def start(say=accept, **more):
        script = Old(say, **more)
        server = await serve(script)
        return script, server, at("sse+" + server.url.replace("/mcp", "/sse"))

    return start


async def test_a_real_server_is_listed_called_and_probed(upstreams, at, sse_url):
    """Otherwise: servers of 2024 cannot be connected."""
    endpoint = at("sse+" + sse_url, headers=(("Authorization", "Bearer own"),))
    tools = await upstreams.list_tools(endpoint, timeout=10)
    assert {"echo", "add"} <= {tool["name"] for tool in tools}
    calls = [upstreams.call_tool(endpoint, "add", {"a": n, "b": 1}, timeout=10) for n in range(8)]
    results = await asyncio.gather(*calls)
    assert [result["content"][0]["text"] for result in results] == [str(n + 1) for n in range(8)]
    info = await upstreams.probe(endpoint, timeout=10)
    assert (info.era, info.name) == ("handshake", "tests")
    asked = await told(sse_url, "/log")
    assert [each[":method"] for each in asked][:2] == ["GET", "POST"]
    assert {each["authorization"] for each in asked} == {"Bearer own"}
    with pytest.raises(UpstreamTimeout):
        await upstreams.call_tool(endpoint, "slow", {"seconds": 30}, timeout=0.2)
    await told(sse_url, "/cancelled")


@pytest.mark.parametrize("where", [b"/messages?s=1", b"messages?s=1", b"//{host}/messages?s=1"])
async def test_posts_go_where_the_stream_says(upstreams, old, where):
    """Otherwise: a server that names its address in another right way is not understood."""
    script, server, endpoint = await old()
    script.where = where.replace(b"{host}", f"127.0.0.1:{server.port}".encode())
    result = await upstreams.request(endpoint, "tools/call", {"name": "x"}, timeout=5)
    assert result == {"echo": "tools/call"}
    assert {asked.path for asked in server.asked if asked.method == "POST"} == {"/messages?s=1"}
    assert "server/discover" not in server.methods()


@pytest.mark.parametrize(
    "where",
    [
        b"https://127.0.0.1:{port}/messages",
        b"http://localhost:{port}/messages",
        b"http://127.0.0.1:{canary}/messages",
        b"stdio://git",
        b"http://[/",
        b"\xff",
        b"sse+http://127.0.0.1:{port}/messages",
    ],
)
async def test_posts_stay_on_the_streams_own_server(upstreams, old, serve, at, where):
    """Otherwise: a server sends the connection's credential to whomever it likes."""
    canary = await serve(lambda asked: asked.reply(b"{}"))
    script, server, _ = await old()
    script.where = where.replace(b"{port}", b"%d" % server.port)
    script.where = script.where.replace(b"{canary}", b"%d" % canary.port)
    endpoint = at(f"sse+http://127.0.0.1:{server.port}/sse", headers=(("X-Key", "own"),))
    with pytest.raises(UpstreamProtocolError, match="endpoint event"):
        await upstreams.probe(endpoint, timeout=5)
    assert [asked.method for asked in server.asked] == ["GET"]
    assert canary.connections == 0
    await server.all_closed()


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (lambda asked: asked.reply(b"", "401 Unauthorized"), UpstreamProtocolError, "credential"),
        (lambda asked: asked.reply(b"{}"), UpstreamProtocolError, "no event stream"),
        (lambda asked: asked.stream(), UpstreamUnavailable, "ended its stream"),
        (lambda asked: asked.stream(b"{}"), UpstreamUnavailable, "ended its stream"),
    ],
)
async def test_what_is_no_stream_is_told(upstreams, serve, at, script, error, words):
    """Otherwise: somebody waits for a server that will never answer."""
    server = await serve(script)
    with pytest.raises(error, match=words):
        await upstreams.probe(at("sse+" + server.url), timeout=5)


async def test_a_stream_that_never_begins_is_given_up(upstreams, old, serve, at):
    """Otherwise: every try leaves a socket open."""
    server = await serve(lambda asked: asked.gone())
    with pytest.raises(UpstreamTimeout):
        await upstreams.probe(at("sse+" + server.url), timeout=0.1)
    await upstreams.forget("connection")
    await server.all_closed()


async def test_closed_addresses_stay_closed(at, old):
    """Otherwise: the old transport is a way around the outbound door."""
    _, server, endpoint = await old()
    async with Upstreams(Egress()) as shut:
        with pytest.raises(EgressDenied):
            await shut.probe(endpoint, timeout=5)
    assert server.connections == 0


async def test_a_dead_stream_fails_its_calls_at_once_and_the_next_call_works(upstreams, old):
    """Otherwise: callers wait for their whole timeout, and the connection is lost for good."""

    def say(script, asked):
        asked.reply(b"", "202 Accepted")
        if len(script.streams) == 1:
            script.break_off()
        else:
            script.result(asked, {})

    _, server, endpoint = await old(say)
    with pytest.raises(UpstreamUnavailable) as failed:
        await upstreams.call_tool(endpoint, "x", {}, timeout=30)
    assert failed.value.sent
    assert await upstreams.call_tool(endpoint, "x", {}, timeout=5) == {}
    assert [asked.method for asked in server.asked].count("GET") == 2


async def test_a_forgotten_session_is_begun_anew(upstreams, old):
    """Otherwise: after a restart of the server every call fails."""

    def say(script, asked):
        if len(script.streams) == 1:
            asked.reply(b"", "404 Not Found")
        else:
            accept(script, asked)

    script, _, endpoint = await old(say)
    assert await upstreams.call_tool(endpoint, "x", {}, timeout=5) == {"echo": "tools/call"}
    assert len(script.streams) == 2


async def test_a_refused_post_is_told(upstreams, old):
    """Otherwise: a server that says no looks like one that is slow."""
    _, _, endpoint = await old(lambda _, asked: asked.reply(b"", "500 Oh No"))
    with pytest.raises(UpstreamProtocolError, match="500"):
        await upstreams.call_tool(endpoint, "x", {}, timeout=5)


async def test_errors_and_noise_are_told_apart(upstreams, old):
    """Otherwise: another's answer, or a late one, is taken for the result."""

    def say(script, asked):
        asked.reply(b"", "202 Accepted")
        script.tell({"jsonrpc": "2.0", "id": 999, "result": {"of": "nobody"}})
        script.tell({"jsonrpc": "2.0", "id": "1", "result": {"of": "nobody"}})
        script.streams[-1].send(chunk(b"event: endpoint\ndata: http://elsewhere/\n\n"))
        script.streams[-1].send(chunk(b"event: other\ndata: x\n\n"))
        error = {"code": -32602, "message": "no such tool"}
        script.tell({"jsonrpc": "2.0", "id": asked.message["id"], "error": error})
        script.tell({"jsonrpc": "2.0", "id": asked.message["id"], "result": {"late": True}})

    _, _, endpoint = await old(say)
    for _ in range(2):
        with pytest.raises(UpstreamRpcError, match="no such tool"):
            await upstreams.call_tool(endpoint, "x", {}, timeout=5)


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: " + b"x" * (4 * 1024 * 1024 + 1)])
async def test_a_stream_that_cannot_be_read_ends(upstreams, old, data):
    """Otherwise: a hostile server fills the memory, or its callers wait for nothing."""

    def say(script, asked):
        asked.reply(b"", "202 Accepted")
        script.streams[-1].send(chunk(data))

    _, _, endpoint = await old(say)
    with pytest.raises(UpstreamProtocolError):
        await upstreams.call_tool(endpoint, "x", {}, timeout=10)


async def test_a_call_that_nobody_waits_for_is_cancelled(upstreams, old):
    """Otherwise: the server works on for nobody."""
    cancelled = asyncio.Event()

    def say(_script, asked):
        asked.reply(b"", "202 Accepted")
        if asked.message["method"] == "notifications/cancelled":
            cancelled.set()

    _, server, endpoint = await old(say)
    with pytest.raises(UpstreamTimeout):
        await upstreams.call_tool(endpoint, "x", {}, timeout=0.2)
    async with asyncio.timeout(5):
        await cancelled.wait()
    [call] = [
        asked.message for asked in server.asked if asked.message.get("method") == "tools/call"
    ]
    assert server.asked[-1].message["params"] == {"requestId": call["id"]}


async def test_nothing_is_cancelled_that_was_not_sent(old):
    """Otherwise: the server hears of calls that there never were."""
    _, server, endpoint = await old()
    found, looking = asyncio.Semaphore(3), asyncio.Event()

    async def resolve(_host, _port):
        if found.locked():
            looking.set()
        await found.acquire()
        return ["127.0.0.1"]

    async with Upstreams(Egress(["127.0.0.1"], resolver=resolve)) as upstreams:
        await upstreams.who(endpoint, timeout=5)  # by the stream, a POST, and a courtesy
        calls = [upstreams.call_tool(endpoint, f"{n}", {}, timeout=0.3) for n in range(2)]
        ends = await asyncio.gather(*calls, return_exceptions=True)
    assert looking.is_set()
    assert [end for end in ends if isinstance(end, UpstreamTimeout)]
    assert "notifications/cancelled" not in server.methods()


async def test_a_handshake_that_nobody_waits_for_is_not_cancelled(upstreams, old):
    """Otherwise: the protocol is broken, which forbids it."""

    def begin(script, asked):
        if asked.method == "GET":
            return script.open(asked)
        return asked.reply(b"", "202 Accepted")

    script, server, endpoint = await old()
    server._script = lambda asked: begin(script, asked)
    with pytest.raises(UpstreamTimeout):
        await upstreams.who(endpoint, timeout=0.2)
    await upstreams.forget("connection")
    await server.all_closed()
    assert server.methods() == ["GET", "initialize"]


class Listening:
    """Hears progress."""

    stamp = {}

    def __init__(self):
        self.heard = []

    async def hear(self, message):
        self.heard.append(message["params"]["progress"])


async def test_progress_is_heard_and_questions_are_answered(upstreams, old):
    """Otherwise: nobody sees a long call move, and a server that asks whether we live hangs up."""
    answered = asyncio.Event()

    def say(script, asked):
        asked.reply(b"", "202 Accepted")
        if "result" in asked.message:
            answered.set()
        elif asked.message["method"] == "tools/call":
            number = asked.message["id"]
            progress = {"progressToken": number, "progress": 1}
            script.tell({"method": "notifications/progress", "params": progress})
            script.tell({"jsonrpc": "2.0", "id": "q", "method": "ping"})
            script.tell({"method": "notifications/message", "params": {}})
            script.result(asked, {})

    _, server, endpoint = await old(say)
    listener = Listening()
    await upstreams.request(endpoint, "tools/call", {"name": "x"}, timeout=5, listener=listener)
    async with asyncio.timeout(5):
        await answered.wait()
    assert server.asked[-1].message == {"jsonrpc": "2.0", "id": "q", "result": {}}
    assert listener.heard == [1]


async def test_changes_are_heard_while_the_stream_lives(upstreams, old, monkeypatch):
    """Otherwise: a tool that changed is called as it was approved."""
    monkeypatch.setattr(hearing, "FIRST_PAUSE", 0.001)
    notices = asyncio.Queue()
    upstreams.heed(lambda connection, method: notices.put_nowait((connection, method)))
    script, _, endpoint = await old(tools={"listChanged": True})
    await upstreams.call_tool(endpoint, "x", {}, timeout=5)
    await upstreams.call_tool(endpoint, "x", {}, timeout=5)
    for number in range(2, 9):  # what nobody asked for, under the number by which we listen
        script.tell({"jsonrpc": "2.0", "id": number, "result": {}})
    async with asyncio.timeout(5):
        assert await notices.get() == ("connection", TOOLS)
        script.tell({"jsonrpc": "2.0", "method": TOOLS})
        assert await notices.get() == ("connection", TOOLS)
        script.break_off()
        assert await notices.get() == ("connection", TOOLS)  # what was missed meanwhile


async def test_letting_go_fails_calls_and_hangs_up(upstreams, old):
    """Otherwise: a connection that was changed keeps its old server, and its callers wait."""
    begun = asyncio.Event()

    def say(_script, asked):
        asked.reply(b"", "202 Accepted")
        begun.set()

    _, server, endpoint = await old(say)
    call = asyncio.create_task(upstreams.call_tool(endpoint, "x", {}, timeout=30))
    await begun.wait()
    peer = upstreams._peers["connection"][1]
    await upstreams.forget("connection")
    with pytest.raises(UpstreamUnavailable):
        await call
    await server.all_closed()
    with pytest.raises(UpstreamUnavailable):
        await peer._channel.start()
    await peer._channel.end(None)
