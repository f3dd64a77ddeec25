"""A client that goes away, or does not read, costs its upstream and the gateway nothing more."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.runs.models import Run
from agentxsuite.gateway.jsonrpc import HANDSHAKE, META, MODERN
from tests.servers.mcp_raw import RawServer, handshake, stateless
from tests.servers.mcp_sse import Old
from tests.story.conftest import serving
from tests.story.talking import PATIENCE

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
SOON = 1.0  # second, within which an upstream hears that nobody waits any more
RESULT = {"content": [], "structuredContent": {"done": True}}
DONE = b'"structuredContent":{"done":true}'
NOTE = {"progress": 1, "message": "x" * 60_000}


class Chatty:
    """Tells of progress so many times, and answers when it is free to.

    ``gone`` says that it was told to stop: in the new era by hanging up, before that by a word.
    """

    def __init__(self, steps):
        self.steps = steps
        self.said, self.free, self.gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self, asked):
        asked.stream(end=False)
        await self.tell(asked, asked)
        leaving = asyncio.ensure_future(asked.gone())
        freed = asyncio.ensure_future(self.free.wait())
        await asyncio.wait([leaving, freed], return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            self.gone.set()
            return
        asked.event(asked.answer(result=RESULT))
        await leaving

    async def tell(self, asked, stream):
        """Say how far it is, so often."""
        token = asked.message["params"]["_meta"]["progressToken"]
        note = {"method": "notifications/progress", "params": {**NOTE, "progressToken": token}}
        for _ in range(self.steps):
            stream.event(json.dumps({"jsonrpc": "2.0", **note}).encode())
            await stream.writer.drain()
        self.said.set()

    def server(self):
        """Where it is served, and how its address begins."""
        return RawServer(stateless(self)), ""


class OlderChatty(Chatty):
    """The same as a server of the era in which hanging up says nothing."""

    async def __call__(self, asked):
        if self.heeds(asked):
            asked.stream(end=False)
            await self.tell(asked, asked)
            await self.free.wait()
            asked.event(asked.answer(result=RESULT))
            await asked.gone()

    def heeds(self, asked):
        """Whether it is a call; else it is taken note of."""
        if asked.message["method"] == "tools/call":
            return True
        asked.reply(b"", "202 Accepted")
        if asked.message["method"] == "notifications/cancelled":
            self.gone.set()
        return False

    def server(self):
        return RawServer(handshake(self)), ""


class OldestChatty(OlderChatty):
    """The same over the transport of one stream and many POSTs."""

    async def say(self, script, asked):
        if self.heeds(asked):
            asked.reply(b"", "202 Accepted")
            await self.tell(asked, script.streams[-1])
            await self.free.wait()
            script.result(asked, RESULT)

    def server(self):
        return RawServer(Old(self.say)), "sse+"


@asynccontextmanager
async def before(upstream):
    """All connections lead to it."""
    server, prefix = upstream.server()
    async with server:
        await sync_to_async(Connection.objects.update)(endpoint=f"{prefix}{server.url}")
        yield
        upstream.free.set()


UPSTREAMS = pytest.mark.parametrize("kind", [Chatty, OlderChatty, OldestChatty])
ERAS = pytest.mark.parametrize("modern", [True, False])


def request(world, *, modern):
    params = {"name": "tests__echo", "arguments": {"text": "x"}, "_meta": {"progressToken": 1}}
    headers = {**world.bearer, "accept": "application/json, text/event-stream"}
    if modern:
        meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}
        params["_meta"] |= meta
        headers |= {"mcp-protocol-version": MODERN, "mcp-method": "tools/call"}
        headers["mcp-name"] = "tests__echo"
    else:
        headers["mcp-protocol-version"] = HANDSHAKE[0]
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers


@UPSTREAMS
@ERAS
async def test_a_client_that_goes_away_cancels_its_upstream(world, modern, kind):
    """Otherwise: tools work on for nobody, and at worst do what nobody wants any more."""
    await sync_to_async(world.allow)()
    upstream = kind(steps=1)
    body, headers = request(world, modern=modern)
    async with before(upstream), serving() as client, asyncio.timeout(PATIENCE):
        async with client.stream("POST", world.mcp, json=body, headers=headers) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            told = await anext(lines(answer))
            assert json.loads(told)["params"]["progressToken"] == 1
        async with asyncio.timeout(SOON):
            await upstream.gone.wait()
    run = await sync_to_async(Run.objects.get)()
    assert (run.status, run.outcome_code) == ("failed", "cancelled")


@UPSTREAMS
@ERAS
async def test_a_client_that_does_not_read_gets_its_result_when_it_does(
    client, world, modern, kind
):
    """Otherwise: a slow client loses its answer, or fills the gateway's memory."""
    await sync_to_async(world.allow)()
    upstream = kind(steps=60)
    body, headers = request(world, modern=modern)
    async with before(upstream), asyncio.timeout(PATIENCE):
        reader, writer = await narrow(client.base_url.host, client.base_url.port)
        writer.write(written(world.mcp, json.dumps(body).encode(), headers))
        await upstream.said.wait()
        upstream.free.set()
        told = b""
        while DONE not in told[-200_000:]:
            part = await reader.read(2**20)
            assert part, told[-500:]
            told += part
        writer.close()
    assert told.count(b"notifications/progress") < upstream.steps


async def test_a_client_that_does_not_read_and_goes_cancels_its_upstream(client, world):
    """Otherwise: who hangs up while much waits for them lets the tool go on."""
    await sync_to_async(world.allow)()
    upstream = Chatty(steps=60)
    body, headers = request(world, modern=True)
    async with before(upstream), asyncio.timeout(PATIENCE):
        _, writer = await narrow(client.base_url.host, client.base_url.port)
        writer.write(written(world.mcp, json.dumps(body).encode(), headers))
        await upstream.said.wait()
        writer.transport.abort()
        async with asyncio.timeout(SOON):
            await upstream.gone.wait()


async def test_an_older_client_cancels_its_call_by_a_word(client, world):
    """Otherwise: who changes their mind in an older client lets the tool go on."""
    await sync_to_async(world.allow)()
    upstream = Chatty(steps=1)
    body, headers = request(world, modern=False)
    note = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    second = await sync_to_async(lambda: world.company.token(world.company.agent("Second")))()
    other = {**headers, "authorization": f"Bearer {second}"}
    async with before(upstream), asyncio.timeout(PATIENCE):
        calling = asyncio.create_task(client.post(world.mcp, json=body, headers=headers))
        await upstream.said.wait()
        for number, who in ((2, headers), (1, other), (1, headers)):  # another's is nobody's
            word = {**note, "params": {"requestId": number}}
            assert (await client.post(world.mcp, json=word, headers=who)).status_code == 202
            assert (who is headers and number == 1) or not upstream.gone.is_set()
        await upstream.gone.wait()
        assert "run_cancelled" in (await calling).text
    run = await sync_to_async(Run.objects.get)()
    assert (run.status, run.outcome_code) == ("failed", "cancelled")


async def lines(answer):
    """The data of an answer's events."""
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            yield line.removeprefix("data: ")


async def narrow(host, port):
    """A connection through which little fits before somebody reads."""
    taking = socket.socket()
    taking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    taking.setblocking(False)  # noqa: FBT003  Python's own
    await asyncio.get_running_loop().sock_connect(taking, (host, port))
    return await asyncio.open_connection(sock=taking, limit=2**12)


def written(path, content, headers):
    """A request as bytes."""
    named = {**headers, "host": "127.0.0.1", "content-length": str(len(content))}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + content
