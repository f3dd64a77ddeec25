"""Servers say that what they offer has changed, in both eras and over both transports."""

import asyncio
import json

import pytest

from agentxsuite.engines.upstream import Egress, ServerInfo, Upstreams, hearing
from agentxsuite.engines.upstream.calls import Session
from agentxsuite.engines.upstream.notices import announced, notice_of
from tests.servers.mcp_raw import DISCOVERY, handshake

TOOLS = "notifications/tools/list_changed"
PROMPTS = "notifications/prompts/list_changed"
CHANGING = {"tools": {"listChanged": True}, "prompts": {"listChanged": True}, "resources": {}}

SESSION = Session(ServerInfo("stateless", "", "", "", CHANGING))
SAYS = json.dumps({"jsonrpc": "2.0", "method": TOOLS}).encode()
NOISE = json.dumps({"jsonrpc": "2.0", "method": "notifications/message"}).encode()
ASKS = json.dumps({"jsonrpc": "2.0", "id": 5, "method": "ping"}).encode()


class Heard:
    """What was heard, one by one."""

    def __init__(self, upstreams):
        self.notices = asyncio.Queue()
        upstreams.heed(lambda connection, method: self.notices.put_nowait((connection, method)))

    async def next(self):
        async with asyncio.timeout(10):
            return await self.notices.get()


@pytest.fixture
def heard(upstreams, monkeypatch):
    """Streams that broke off are begun again at once."""
    monkeypatch.setattr(hearing, "FIRST_PAUSE", 0.001)
    return Heard(upstreams)


def discovered(capabilities, call):
    """A server of the new era that announces something."""

    def script(asked):
        if asked.message.get("method") == "server/discover":
            asked.result(DISCOVERY | {"capabilities": capabilities})
            return None
        return call(asked)

    return script


def shaken(capabilities, call):
    """The same of the old era, with a session."""
    usual = handshake(call, session="s1")

    def script(asked):
        if asked.message.get("method") == "initialize":
            info = {"name": "old", "version": "0.1"}
            result = {"protocolVersion": "2025-06-18", "capabilities": capabilities}
            asked.result(result | {"serverInfo": info}, mcp_session_id="s1")
            return None
        return usual(asked)

    return script


def is_listen(asked):
    return asked.method == "GET" or asked.message.get("method") == "subscriptions/listen"


@pytest.mark.parametrize("era", [discovered, shaken])
async def test_a_server_is_heard_while_it_is_used(upstreams, heard, serve, at, era):
    """Otherwise: a tool that changed is called as if it had not, for up to a minute."""

    async def script(asked):
        if is_listen(asked):
            asked.stream(SAYS, ASKS, NOISE, SAYS, end=False)
            await asked.gone()
        elif "id" in asked.message and "method" not in asked.message:
            asked.reply(b"", "202 Accepted")
        else:
            asked.result({"content": []})

    server = await serve(era(CHANGING, script))
    await upstreams.call_tool(at(server), "x", {}, timeout=10)
    assert [await heard.next(), await heard.next()] == [("connection", TOOLS)] * 2
    await upstreams.call_tool(at(server), "x", {}, timeout=10)
    (listen,) = filter(is_listen, server.asked)
    if era is discovered:
        wanted = {"toolsListChanged": True, "promptsListChanged": True}
        assert listen.message["params"]["notifications"] == wanted
        assert listen.headers["mcp-method"] == "subscriptions/listen"
    else:
        assert listen.headers["mcp-session-id"] == "s1"
    await upstreams.aclose()
    await server.all_closed()


@pytest.mark.parametrize("era", [discovered, shaken])
async def test_a_stream_that_broke_off_is_begun_again(upstreams, heard, serve, at, era):
    """Otherwise: a server that restarts is never heard again, or what it said meanwhile is lost."""
    listens = []

    async def script(asked):
        if not is_listen(asked):
            asked.result({"content": []})
            return
        listens.append(asked)
        if len(listens) == 1:
            asked.reply(b"", "503 Unavailable")
        elif len(listens) == 2:
            asked.stream()
        elif len(listens) == 3:
            asked.writer.close()
        else:
            asked.stream(SAYS, end=False)
            await asked.gone()

    server = await serve(era(CHANGING, script))
    await upstreams.call_tool(at(server), "x", {}, timeout=10)
    missed = [("connection", TOOLS), ("connection", PROMPTS)]
    assert [await heard.next() for _ in range(7)] == [*missed * 3, ("connection", TOOLS)]


@pytest.mark.parametrize("era", [discovered, shaken])
async def test_a_server_that_does_not_tell_is_left_alone(upstreams, heard, serve, at, era):
    """Otherwise: a server that has no stream is asked for it for ever."""

    def script(asked):
        if is_listen(asked):
            asked.reply(b"", "405 Method Not Allowed")
        else:
            asked.result({"content": []})

    for capabilities in (CHANGING, {}):
        server = await serve(era(capabilities, script))
        for _ in range(3):
            await upstreams.call_tool(at(server), "x", {}, timeout=10)
        assert len(list(filter(is_listen, server.asked))) <= len(capabilities) > -1
    assert heard.notices.empty()


async def test_nobody_listens_to_what_is_not_used(upstreams, heard, serve, at, monkeypatch):
    """Otherwise: every connection that was ever used holds a socket for ever."""
    monkeypatch.setattr(hearing, "UNUSED_SECONDS", 0.01)
    gone = asyncio.Event()

    async def script(asked):
        if is_listen(asked):
            asked.stream(end=False)
            await asked.gone()
            gone.set()
        else:
            asked.result({"content": []})

    server = await serve(discovered(CHANGING, script))
    await upstreams.call_tool(at(server), "x", {}, timeout=10)
    async with asyncio.timeout(10):
        await gone.wait()
        ear = upstreams._peers["connection"][1]._hearing
        await asyncio.wait([ear._task or asyncio.ensure_future(asyncio.sleep(0))])
        gone.clear()
        await upstreams.call_tool(at(server), "x", {}, timeout=10)
        await gone.wait()  # used again, listened to again


class Lasting:
    """A channel whose stream lasts until it is looked at often; and the clock, which stands."""

    def __init__(self):
        self.looks, self.streams, self.enough = 0, 0, asyncio.Event()

    def time(self):
        self.looks += 1
        if self.looks > 10:
            self.enough.set()
        return 0.0

    async def listen(self, _session, _wanted, _heard):
        self.streams += 1
        await self.enough.wait()
        return False


async def test_a_server_is_heard_for_as_long_as_it_is_used(monkeypatch):
    """Otherwise: every few minutes a server is not heard for a moment, and all is looked at."""
    monkeypatch.setattr(hearing, "UNUSED_SECONDS", 0.001)
    channel = Lasting()
    ear = hearing.Hearing(channel, SESSION, print)
    ear._loop = channel
    ear.use()
    await ear._task
    assert channel.streams == 1


@pytest.mark.parametrize(("long", "pauses"), [(0.0, [1, 2, 4]), (100.0, [1, 1, 1])])
async def test_who_breaks_off_at_once_is_asked_ever_more_rarely(monkeypatch, long, pauses):
    """Otherwise: a server that hangs up is stormed; or one that lived long is missed for long."""
    channel, slept = Brief(3, long), []

    async def sleep(seconds):
        slept.append(seconds)

    ear = hearing.Hearing(channel, SESSION, print)
    monkeypatch.setattr(hearing, "UNUSED_SECONDS", 10_000.0)
    monkeypatch.setattr(hearing.asyncio, "sleep", sleep)
    ear._loop = channel
    ear.use()
    await ear._task
    assert slept == [hearing.FIRST_PAUSE * each for each in pauses]


class Brief:
    """A channel whose streams end, so many; the clock that tells how long each lasted."""

    def __init__(self, streams, seconds):
        self.left, self.seconds, self.now = streams, seconds, 0.0

    def time(self):
        return self.now

    async def listen(self, _session, _wanted, _heard):
        self.now += self.seconds
        self.left -= 1
        return self.left >= 0


async def test_a_server_is_heard_that_nobody_asks_anything(upstreams, heard, serve, at):
    """Otherwise: a client that only listens hears of nothing."""

    async def script(asked):
        if is_listen(asked):
            asked.stream(SAYS, end=False)
            await asked.gone()
        else:
            asked.result({})

    server = await serve(discovered(CHANGING, script))
    for _ in range(2):
        await upstreams.attend(at(server), timeout=10)
    assert await heard.next() == ("connection", TOOLS)
    assert len(list(filter(is_listen, server.asked))) == 1


async def test_whom_nobody_told_to_listen_does_not(at, serve):
    """Otherwise: a program that wants no notices holds a socket for them."""
    server = await serve(discovered(CHANGING, lambda asked: asked.result({})))
    async with Upstreams(Egress(["127.0.0.0/8"])) as deaf:
        await deaf.attend(at(server), timeout=10)
    assert not list(filter(is_listen, server.asked))


async def test_a_new_conversation_has_a_new_ear(upstreams, heard, serve, at):
    """Otherwise: after a server forgot us, nobody listens to it, or two do."""
    lost = []

    async def script(asked):
        if is_listen(asked):
            asked.stream(end=False)
            await asked.gone()
        elif not lost:
            lost.append(asked)
            asked.reply(b"", "404 Not Found")
        else:
            asked.result({"content": []})

    server = await serve(shaken(CHANGING, script))
    await upstreams.call_tool(at(server), "x", {}, timeout=10)
    while len(list(filter(is_listen, server.asked))) < 1:
        await server.arrived()
    await upstreams.call_tool(at(server), "x", {}, timeout=10)
    assert len(lost) == 1


def said(upstreams, endpoint):
    """Let the process say that its tools have changed, before it answers."""
    notice = json.dumps({"jsonrpc": "2.0", "method": TOOLS})
    text = f'{notice}\n{{"jsonrpc":"2.0","id":$ID,"result":{{}}}}'
    return upstreams.call_tool(endpoint, "raw", {"text": text}, timeout=10)


@pytest.mark.parametrize("era", ["stateless", "handshake"])
async def test_a_process_is_heard(upstreams, heard, at, era):
    """Otherwise: tools of a local server change unseen."""
    endpoint = at(f"stdio://pipes?era={era}")
    async with asyncio.timeout(10):
        while heard.notices.empty():  # what is said before anybody listens is not heard
            await said(upstreams, endpoint)
    assert await heard.next() == ("connection", TOOLS)


async def test_a_process_that_does_not_tell_is_left_alone(upstreams, heard, at):
    """Otherwise: a local server that cannot be listened to is asked for ever."""
    endpoint = at("stdio://pipes?era=deaf")
    await said(upstreams, endpoint)
    while not (await upstreams.call_tool(endpoint, "heard", {}, timeout=10))["listens"]:
        pass  # it has refused before it answers this
    while not heard.notices.empty():  # said before it refused
        heard.notices.get_nowait()
    await said(upstreams, endpoint)
    assert heard.notices.empty()


async def test_a_process_may_end_the_stream_in_order(upstreams, heard, at):
    """Otherwise: a local server that wants to be asked again is not."""
    endpoint = at("stdio://pipes?era=brief")
    await upstreams.call_tool(endpoint, "echo", {}, timeout=10)
    assert await heard.next() == ("connection", TOOLS)


def test_only_what_is_announced_is_asked_for():
    """Otherwise: servers are asked for what they do not have, or odd ones end in a crash."""
    odd = {"tools": True, "prompts": {"listChanged": "yes"}, "resources": {"listChanged": True}}
    assert [notice.capability for notice in announced(odd)] == ["resources"]
    assert notice_of({"method": ["x"]}) is None
    assert notice_of({"method": "notifications/progress"}) is None
