"""Upstreams that misbehave: every call ends in time, with the right error and no socket left."""

import asyncio
import socket
import struct

import pytest

from agentxsuite.engines.upstream import (
    UpstreamError,
    UpstreamProtocolError,
    Upstreams,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from agentxsuite.engines.upstream.egress import Egress
from tests.servers.mcp_raw import stateless

MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


async def drip(asked):
    for byte in HEAD + b"content-length: 1000\r\n\r\n":
        asked.send(bytes([byte]))
        await asyncio.sleep(0.02)


async def silence(asked):
    await asked.gone()


async def flood(asked, head, piece):
    asked.send(head)
    while True:
        asked.send(piece)
        await asked.writer.drain()


def endless_body(asked):
    return flood(asked, HEAD + b"transfer-encoding: chunked\r\n\r\n", b"10000\r\n%65536d\r\n" % 1)


def endless_body_without_length(asked):
    return flood(asked, HEAD + b"\r\n", b" " * 65536)


def endless_header(asked):
    return flood(asked, HEAD + b"x-a: ", b"a" * 65536)


def endless_headers(asked):
    return flood(asked, HEAD, b"x-a: a\r\n" * 8192)


def endless_interim(asked):
    return flood(asked, b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 4096)


def endless_chunk_extensions(asked):
    return flood(asked, HEAD + b"transfer-encoding: chunked\r\n\r\n1;", b"a" * 65536)


def endless_trailers(asked):
    return flood(
        asked, HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n \r\n0\r\nx: ", b"a" * 65536
    )


def endless_stream(asked):
    event = b'data: {"jsonrpc":"2.0","method":"notifications/progress","x":"%9999d"}\n\n' % 1
    return flood(asked, STREAM + b"\r\n", event * 10)


def reset(asked):
    asked.writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    asked.writer.transport.abort()


def half_close(asked):
    asked.send(HEAD + b"content-length: 100\r\n\r\n{")
    asked.writer.write_eof()


def hang_up(asked):
    asked.writer.close()


def garbage(asked):
    asked.send(b"\x16\x03\x01 this is not HTTP at all\r\n\r\n")


def upgrade(asked):
    asked.send(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhi")


def two_lengths(asked):
    asked.send(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}")


def compressed(asked):
    asked.reply(b"\x1f\x8b", content_encoding="gzip")


def wrong_id(asked):
    asked.reply(b'{"jsonrpc":"2.0","id":99999,"result":{}}')


def true_as_id(asked):
    asked.reply(b'{"jsonrpc":"2.0","id":true,"result":{}}')


def wrong_id_in_stream(asked):
    asked.stream(b'{"jsonrpc":"2.0","id":99999,"result":{}}')


def deep(asked):
    asked.reply(b'{"jsonrpc":"2.0","id":1,"result":' + b'{"a":' * 100 + b"1" + b"}" * 101)


def very_deep(asked):
    asked.reply(b"[" * 1_000_000)


def nan(asked):
    asked.reply(b'{"jsonrpc":"2.0","id":1,"result":{"a":NaN}}')


def digits(asked):
    asked.reply(b'{"jsonrpc":"2.0","id":1,"result":{"a":' + b"9" * 5000 + b"}}")


def array(asked):
    asked.reply(b"[]")


def no_result(asked):
    asked.result("text")


def html(asked):
    asked.reply(b"<html>", content_type="text/html")


def garbage_in_stream(asked):
    asked.stream(b"{nonsense")


def empty_stream(asked):
    asked.stream()


def strange_error(asked):
    asked.reply(asked.answer(error="no"))


def stranger_error(asked):
    asked.error("not a number")


HOSTILE = [
    (drip, UpstreamTimeout, "within 1 seconds"),
    (silence, UpstreamTimeout, "within 1 seconds"),
    (endless_body, UpstreamProtocolError, "4 MiB"),
    (endless_body_without_length, UpstreamProtocolError, "4 MiB"),
    (endless_header, UpstreamProtocolError, "64 KiB"),
    (endless_headers, UpstreamProtocolError, "64 KiB"),
    (endless_interim, UpstreamProtocolError, "64 KiB"),
    (endless_chunk_extensions, UpstreamProtocolError, "4 MiB"),
    (endless_trailers, UpstreamProtocolError, "4 MiB"),
    (endless_stream, UpstreamProtocolError, "4 MiB"),
    (reset, UpstreamUnavailable, "hung up"),
    (half_close, UpstreamUnavailable, "hung up"),
    (hang_up, UpstreamUnavailable, "hung up"),
    (garbage, UpstreamProtocolError, "not HTTP"),
    (upgrade, UpstreamProtocolError, "not HTTP"),
    (two_lengths, UpstreamProtocolError, "not HTTP"),
    (compressed, UpstreamProtocolError, "compresses"),
    (wrong_id, UpstreamProtocolError, "another request"),
    (true_as_id, UpstreamProtocolError, "another request"),
    (wrong_id_in_stream, UpstreamProtocolError, "another request"),
    (deep, UpstreamProtocolError, "not JSON"),
    (very_deep, UpstreamProtocolError, "not JSON"),
    (nan, UpstreamProtocolError, "not JSON"),
    (digits, UpstreamProtocolError, "not JSON"),
    (array, UpstreamProtocolError, "not a JSON-RPC message"),
    (no_result, UpstreamProtocolError, "no result"),
    (html, UpstreamProtocolError, "neither JSON nor an event stream"),
    (garbage_in_stream, UpstreamProtocolError, "not JSON"),
    (empty_stream, UpstreamUnavailable, "without an answer"),
    (strange_error, UpstreamProtocolError, "cannot be read"),
    (stranger_error, UpstreamProtocolError, "cannot be read"),
]


@pytest.mark.parametrize(("script", "error", "text"), HOSTILE, ids=lambda part: str(part)[:40])
async def test_hostile_answer(at, serve, script, error, text):
    """One hostile upstream could hang a worker, fill its memory or leak its sockets."""
    server = await serve(stateless(script))
    started = asyncio.get_running_loop().time()
    async with Upstreams(Egress(["127.0.0.1"])) as engine:
        await engine.probe(at(server), timeout=5)
        with pytest.raises(error, match=text) as caught:
            await engine.call_tool(at(server), "t", {}, timeout=1)
        assert type(caught.value) is error or error is UpstreamUnavailable
        assert caught.value.sent
        assert server.methods().count("tools/call") == 1
    assert asyncio.get_running_loop().time() - started < 2
    await server.all_closed()
    assert server.open == 0


async def test_cancelled_calls_leak_nothing(upstreams, at, serve):
    """Callers that go away would leave sockets behind until the worker dies."""
    server = await serve(stateless(lambda asked: asked.gone()))
    endpoint = at(server)
    calls = [
        asyncio.create_task(upstreams.call_tool(endpoint, "t", {}, timeout=30)) for _ in range(50)
    ]
    await server.arrived(51)
    assert server.open == 50
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert all(call.cancelled() for call in calls)
    await server.all_closed()
    assert server.open == 0


async def test_bulkhead(at, serve):
    """One slow upstream would take every socket of the worker."""
    gate = asyncio.Event()

    async def call(asked):
        await gate.wait()
        asked.result({"content": []})

    server = await serve(stateless(call))
    async with Upstreams(Egress(["127.0.0.1"]), bulkhead=3) as engine:
        endpoint = at(server)
        await engine.probe(endpoint, timeout=5)
        waiting = [
            asyncio.create_task(engine.call_tool(endpoint, "t", {}, timeout=5)) for _ in range(3)
        ]
        await server.arrived(4)
        with pytest.raises(UpstreamTimeout) as caught:
            await engine.call_tool(endpoint, "t", {}, timeout=0.3)
        assert not caught.value.sent
        gate.set()
        await asyncio.gather(*waiting)
        assert server.connections == 3
        assert server.methods().count("tools/call") == 3


async def test_unsolicited_bytes_end_a_connection(upstreams, at, serve):
    """An upstream could slip the answer of one call into the next one."""

    def call(asked):
        asked.result({"content": ["first"]})
        asked.reply(b'{"jsonrpc":"2.0","id":3,"result":{"content":["smuggled"]}}')

    server = await serve(stateless(call))
    endpoint = at(server)
    for _ in range(3):
        result = await upstreams.call_tool(endpoint, "t", {}, timeout=5)
        assert result == {"content": ["first"]}
    assert server.connections == 3


async def test_late_unsolicited_bytes(upstreams, at, serve):
    """An upstream could prepare an answer for a call that is not made yet."""
    server = await serve(stateless(lambda asked: asked.result({"content": ["own"]})))
    endpoint = at(server)
    await upstreams.call_tool(endpoint, "t", {}, timeout=5)
    server.asked[-1].reply(b'{"jsonrpc":"2.0","id":3,"result":{"content":["smuggled"]}}')
    result = await upstreams.call_tool(endpoint, "t", {}, timeout=5)
    assert result == {"content": ["own"]}
    assert server.connections == 2


async def test_unsolicited_bytes_are_hung_up_on(upstreams, at, serve):
    """An upstream could keep filling the buffers of sockets that nobody uses."""
    server = await serve(stateless(lambda asked: asked.result({"content": []})))
    await upstreams.call_tool(at(server), "t", {}, timeout=5)
    server.asked[-1].send(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    await server.all_closed()


async def test_more_after_the_last_answer(upstreams, at, serve):
    """Garbage behind a good answer would spoil the answer, or the next call."""

    def call(asked):
        asked.result({"content": ["good"]}, connection="close")
        asked.send(b"garbage")

    server = await serve(stateless(call))
    for _ in range(2):
        result = await upstreams.call_tool(at(server), "t", {}, timeout=5)
        assert result == {"content": ["good"]}
    assert server.connections == 3 - 1


async def test_answer_that_ends_with_the_connection(upstreams, at, serve):
    """A simple upstream that closes after each answer could not be used."""

    def call(asked):
        asked.send(HEAD + b"\r\n", asked.answer(result={"content": []}))
        asked.writer.write_eof()

    server = await serve(stateless(call))
    for _ in range(2):
        result = await upstreams.call_tool(at(server), "t", {}, timeout=5)
        assert result == {"content": []}


async def test_nobody_listens(upstreams, at):
    """A person would not learn that the upstream is down."""
    with pytest.raises(UpstreamUnavailable, match="refuses connections") as caught:
        await upstreams.call_tool(at("http://127.0.0.1:1/mcp"), "t", {}, timeout=5)
    assert not caught.value.sent
    assert caught.value.code == "upstream_unavailable"


async def test_every_error_is_one_kind(upstreams, at):
    """A caller that catches UpstreamError would still see a stack trace."""
    for url in (
        "http://10.0.0.1/",
        "ftp://x/",
        "stdio://nobody",
        "stdio://missing",
        "https://[::1]/",
    ):
        with pytest.raises(UpstreamError):
            await upstreams.list_tools(at(url), timeout=2)
