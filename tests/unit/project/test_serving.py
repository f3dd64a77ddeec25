"""The server that drains, before a small application, on real sockets."""

import asyncio
import multiprocessing
import signal
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn

from agentxsuite.project import serving
from agentxsuite.project.serving import Server, configured

REQUEST = b"GET %s HTTP/1.1\r\nhost: tests\r\n\r\n"


class Held:
    """Answers at once, but holds what is asked at /held until released, or the caller is gone."""

    def __init__(self):
        self.asked, self.release = asyncio.Event(), asyncio.Event()
        self.told = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        else:
            await self.answer(scope["path"], receive, send)

    async def live(self, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.told.append("ended")
        await send({"type": "lifespan.shutdown.complete"})

    async def answer(self, path, receive, send):
        await receive()
        if path == "/held":
            self.asked.set()
            await self.until_released(receive)
        self.told.append(path)
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    async def until_released(self, receive):
        waits = [asyncio.ensure_future(self.release.wait()), asyncio.ensure_future(receive())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if waits[1].done():
            self.told.append("gone")
        for wait in waits:
            wait.cancel()


@pytest.fixture
async def app():
    return Held()


class Caller:
    """A connection to the server."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, path):
        self.writer.write(REQUEST % path.encode())

    async def answer(self):
        """The head of the next answer, in lower case, with its body read."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        lines = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
        await self.reader.readexactly(int(lines["content-length"]))
        return head

    async def ask(self, path):
        self.send(path)
        return await self.answer()

    async def closed(self):
        """Whether nothing more comes."""
        return await self.reader.read() == b""


@asynccontextmanager
async def served(app, line=None):
    """A server in its own task; yields it, the task, and what connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        server = Server(uvicorn.Config(app, lifespan="on", http="httptools", log_config=None), line)
        server.before = signal.getsignal(signal.SIGTERM)
        task = asyncio.create_task(server.serve([listening]))
        callers = []

        async def connect():
            callers.append(Caller(*await asyncio.open_connection(*address)))
            return callers[-1]

        await (await connect()).ask("/")  # it serves
        yield server, task, connect
        for caller in callers:
            caller.writer.close()
        server.stop()
        await task


async def until_refused(connect):
    """Connect until nobody is let in any more."""
    while True:
        try:
            await connect()
        except ConnectionError:
            return


async def test_leaving_is_announced_while_everybody_is_still_answered(app):
    """A balancer and clients with open connections learn of a restart by losing answers."""
    async with served(app) as (server, task, connect):
        old, slow = await connect(), await connect()
        await old.ask("/")
        slow.send("/held")
        await app.asked.wait()
        server.handle_exit(signal.SIGTERM, None)
        while "connection: close" not in (answer := await (new := await connect()).ask("/")):
            assert "200 ok" in answer
        assert "200 ok" in answer, "new connections are let in"
        assert await new.closed()
        assert "connection: close" in await old.ask("/")
        ready = await (await connect()).ask("/readyz")
        assert "503" in ready
        assert "retry-after" in ready
        app.release.set()
        assert "connection: close" in await slow.answer()
    assert task.done()
    assert app.told[-1] == "ended"


async def test_what_is_in_flight_is_finished_before_the_end(app, monkeypatch):
    """A restart cuts off calls that have been sent to their tools."""
    monkeypatch.setattr(serving, "ANNOUNCED", 0)
    async with served(app) as (server, task, connect):
        slow = await connect()
        slow.send("/held")
        await app.asked.wait()
        server.handle_exit(signal.SIGTERM, None)
        await until_refused(connect)
        assert not task.done()
        app.release.set()
        assert "200 ok" in await slow.answer()
        await task
    assert app.told[-2:] == ["/held", "ended"]


async def test_a_second_signal_hangs_up_and_still_ends_in_order(app):
    """Whoever is in a hurry has to kill the server, and its record is not written out."""
    async with served(app) as (server, task, connect):
        slow = await connect()
        slow.send("/held")
        await app.asked.wait()
        server.handle_exit(signal.SIGINT, None)
        server.handle_exit(signal.SIGTERM, None)
        assert await slow.closed()
        await task
    assert app.told[-3:] == ["gone", "/held", "ended"]


async def test_a_third_signal_leaves_at_once(app):
    """A server whose database hangs can only be killed."""
    async with served(app) as (server, task, connect):
        slow = await connect()
        slow.send("/held")
        await app.asked.wait()
        for _ in range(3):
            server.handle_exit(signal.SIGTERM, None)
        await task
    assert "ended" not in app.told


async def test_a_call_outlives_no_bound(app, monkeypatch):
    """A call that never ends keeps a server from ever stopping."""
    monkeypatch.setattr(serving, "ANNOUNCED", 0)
    monkeypatch.setattr(serving, "FINISHED", -1)
    async with served(app) as (server, task, connect):
        slow = await connect()
        slow.send("/held")
        await app.asked.wait()
        server.handle_exit(signal.SIGTERM, None)
        await task
    assert app.told[-1] == "ended"


async def test_who_was_let_in_by_the_system_is_answered(app):
    """A caller that connected in the last moment is cut off without an answer."""
    async with served(app) as (server, _, _connect):
        (listening,) = (one for each in server.servers for one in each.sockets)
        with socket.create_connection(listening.getsockname()) as late:  # nobody accepted it yet
            await server._let_last_ones_in([])
            caller = Caller(*await asyncio.open_connection(sock=late))
            assert "200 ok" in await caller.ask("/")
            caller.writer.close()


async def test_a_worker_obeys_its_supervisor_alone(app):
    """A signal to all processes counts twice, and every call in flight is cut off."""
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        async with served(app, theirs) as (server, task, connect):
            assert ours.recv_bytes() == serving.STARTED
            slow = await connect()
            slow.send("/held")
            await app.asked.wait()
            for number in (signal.SIGINT, signal.SIGTERM):  # the supervisor gets them, too
                server.handle_exit(number, None)
            assert not server.should_exit
            ours.send_bytes(serving.STOP)
            while "connection: close" not in await (await connect()).ask("/"):
                """It has not read that yet."""
            server.handle_exit(signal.SIGTERM, None)
            app.release.set()
            assert "200 ok" in await slow.answer()
            await task
    assert app.told[-1] == "ended"


async def test_a_worker_told_twice_by_its_supervisor_hurries(app):
    """Whoever is in a hurry has to kill the workers."""
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        async with served(app, theirs) as (_, task, connect):
            slow = await connect()
            slow.send("/held")
            await app.asked.wait()
            ours.send_bytes(serving.STOP)
            ours.send_bytes(serving.STOP)
            assert await slow.closed()
            await task
    assert app.told[-3:] == ["gone", "/held", "ended"]


async def test_a_worker_follows_its_supervisor(app, monkeypatch):
    """Workers stay behind, and hold the port, when their supervisor is killed."""
    monkeypatch.setattr(serving, "ANNOUNCED", 0)
    ours, theirs = multiprocessing.Pipe()
    async with served(app, theirs) as (_, task, _):
        assert ours.recv_bytes() == serving.STARTED
        ours.close()
        await task
    assert app.told[-1] == "ended"
    theirs.close()


async def test_a_worker_left_behind_while_it_drains_is_in_no_hurry_but_hears_signals(app):
    """A supervisor that is killed takes calls along, or leaves workers that nobody can stop."""
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        async with served(app, theirs) as (server, task, connect):
            assert ours.recv_bytes() == serving.STARTED
            slow = await connect()
            slow.send("/held")
            await app.asked.wait()
            ours.send_bytes(serving.STOP)
            ours.close()
            await until_refused(connect)
            assert "gone" not in app.told
            server.handle_exit(signal.SIGTERM, None)
            assert await slow.closed()
            await task
    assert app.told[-3:] == ["gone", "/held", "ended"]


async def test_the_process_ends_with_success_not_by_the_signal(app, monkeypatch):
    """A supervisor takes every orderly stop for a crash."""
    monkeypatch.setattr(serving, "ANNOUNCED", 0)
    async with served(app) as (server, task, _):
        server.handle_exit(signal.SIGTERM, None)
        await task
    assert signal.getsignal(signal.SIGTERM) == server.before
    assert server._captured_signals == []


def test_the_server_itself_believes_no_header():
    """Otherwise: whoever connects from this machine writes themselves an address."""
    assert configured("127.0.0.1", 0).proxy_headers is False
