"""A client that goes away, or does not read, costs its upstream and the gateway nothing more."""

import asyncio
import json
import socket

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.runs.models import Run
from agentxsuite.gateway.jsonrpc import HANDSHAKE, META, MODERN
from tests.servers.mcp_raw import RawServer, stateless
from tests.story.conftest import serving
from tests.story.talking import PATIENCE

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
DONE = b'"structuredContent":{"done":true}'
NOTE = {"progress": 1, "message": "x" * 60_000}


class Chatty:
    """Tells of progress so many times, and answers when it is free to."""

    def __init__(self, steps):
        self.steps = steps
        self.said, self.free, self.gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self, asked):
        token = asked.message["params"]["_meta"]["progressToken"]
        note = {"method": "notifications/progress", "params": {**NOTE, "progressToken": token}}
        asked.stream(end=False)
        for _ in range(self.steps):
            asked.event(json.dumps({"jsonrpc": "2.0", **note}).encode())
            await asked.writer.drain()
        self.said.set()
        leaving = asyncio.ensure_future(asked.gone())
        freed = asyncio.ensure_future(self.free.wait())
        await asyncio.wait([leaving, freed], return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            self.gone.set()
            return
        asked.event(asked.answer(result={"content": [], "structuredContent": {"done": True}}))
        await leaving


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


@pytest.mark.parametrize("modern", [True, False])
async def test_a_client_that_goes_away_cancels_its_upstream(world, modern):
    """Otherwise: tools work on for nobody, and at worst do what nobody wants any more."""
    await sync_to_async(world.allow)()
    upstream = Chatty(steps=1)
    body, headers = request(world, modern=modern)
    async with RawServer(stateless(upstream)) as server:
        await sync_to_async(Connection.objects.update)(endpoint=server.url)
        async with serving() as client, asyncio.timeout(PATIENCE):
            async with client.stream("POST", world.mcp, json=body, headers=headers) as answer:
                assert answer.headers["content-type"] == "text/event-stream"
                told = await anext(lines(answer))
                assert json.loads(told)["params"]["progressToken"] == 1
            await upstream.gone.wait()
    run = await sync_to_async(Run.objects.get)()
    assert (run.status, run.outcome_code) == ("failed", "cancelled")


async def test_a_client_that_does_not_read_gets_its_result_when_it_does(client, world):
    """Otherwise: a slow client loses its answer, or fills the gateway's memory."""
    await sync_to_async(world.allow)()
    upstream = Chatty(steps=60)
    body, headers = request(world, modern=True)
    async with RawServer(stateless(upstream)) as server, asyncio.timeout(PATIENCE):
        await sync_to_async(Connection.objects.update)(endpoint=server.url)
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


async def test_an_older_client_cancels_its_call_by_a_word(client, world):
    """Otherwise: who changes their mind in an older client lets the tool go on."""
    await sync_to_async(world.allow)()
    upstream = Chatty(steps=1)
    body, headers = request(world, modern=False)
    note = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    async with RawServer(stateless(upstream)) as server, asyncio.timeout(PATIENCE):
        await sync_to_async(Connection.objects.update)(endpoint=server.url)
        calling = asyncio.create_task(client.post(world.mcp, json=body, headers=headers))
        await upstream.said.wait()
        for number in (2, 1):  # another's is nobody's
            word = {**note, "params": {"requestId": number}}
            assert (await client.post(world.mcp, json=word, headers=headers)).status_code == 202
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
