"""One HTTP/1.1 connection to an upstream: one request at a time, nothing trusted (RFC 9112)."""

import asyncio
import select
from dataclasses import dataclass, field
from typing import cast

import httptools

from agentxsuite.engines.upstream.errors import (
    StaleConnection,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamUnavailable,
)

MAX_BODY = 4 * 1024 * 1024
MAX_HEAD = 64 * 1024
# Chunk headers, trailers and interim answers count too: tiny chunks may double a body, not more.
MAX_RECEIVED = 2 * MAX_BODY + MAX_HEAD

_FIRST_FINAL = 200


@dataclass(slots=True)
class Response:
    """A status and its headers (lower-case names); ``body`` is empty while a stream is still on."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    streaming: bool = False

    @property
    def kind(self) -> bytes:
        """The media type without its parameters."""
        return self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()


class Connection(asyncio.Protocol):
    """Bytes in and out; the pool decides about its life.

    Anything that arrives unasked closes it: bytes while idle, a second answer, a broken one.
    """

    __slots__ = (
        "_asked",
        "_body",
        "_complete",
        "_failure",
        "_head_done",
        "_interim",
        "_keep_alive",
        "_loop",
        "_parser",
        "_poll",
        "_received",
        "_response",
        "_size",
        "_transport",
        "_waiter",
        "closed",
        "idle_since",
        "reused",
    )

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._asked = False
        self._complete = True
        self._keep_alive = True
        self.closed = False
        self.reused = False
        self.idle_since = 0.0

    async def exchange(self, request: bytes) -> Response:
        """Send a whole request; returns when the answer is complete, or when a stream begins.

        Raises UpstreamUnavailable, UpstreamProtocolError.
        """
        self._begin()
        self._transport.write(request)
        response = self._response
        while not self._complete and not response.streaming:
            await self._progress()
        if not response.streaming:
            response.body = b"".join(self._body)
        return response

    async def chunk(self) -> bytes:
        """More of a stream; empty at its end."""
        while not self._body and not self._complete:
            await self._progress()
        chunk = b"".join(self._body)
        self._body.clear()
        return chunk

    def forgive(self) -> None:
        """Count no more what was taken of a stream: one that lasts for days has no largest size."""
        self._size = self._received = 0

    @property
    def reusable(self) -> bool:
        """Whether another request may follow."""
        return self._complete and self._keep_alive and not self.closed

    @property
    def lingering(self) -> bool:
        """Whether all is well but a stream has not ended yet."""
        return not self._complete and not self.closed

    async def settled(self) -> None:
        """Wait for the end of a stream whose rest nobody wants."""
        while self.lingering:
            self._body.clear()
            await self._progress()

    def fresh(self) -> bool:
        """Whether an idle connection is still worth writing to.

        A readable idle socket has been closed by the upstream or says what nobody asked for;
        the loop may not have told us yet.
        """
        return not self.closed and not self._poll.poll(0)

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self.closed = True
        self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn where to write."""
        self._transport = cast("asyncio.Transport", transport)
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then wake whoever waits."""
        if self._complete or self.closed:
            self.abort()
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._keep_alive = False
            if not self._complete:
                self._fail(UpstreamProtocolError("The upstream's answer is not HTTP."))
        self._enforce_caps()
        if self._complete or self._response.streaming:
            self._wake()

    def eof_received(self) -> None:
        """Note the end of a body that only the end delimits (RFC 9112 section 6.3, rule 8)."""
        if not self._complete and self._head_done and self._ends_with_connection():
            self._complete = True
            self._keep_alive = False
            self._wake()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Note that the socket is gone."""
        self.closed = True
        if not self._complete:
            stale = self.reused and not self._received
            hung_up = StaleConnection if stale else UpstreamUnavailable
            self._fail(hung_up("The upstream hung up before its answer was complete."))

    # httptools

    def on_message_begin(self) -> None:
        """Note an answer that nobody asked for, right behind ours."""
        if self._complete:
            self._keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what follows the body is no header."""
        if not self._head_done:
            self._response.headers[name.lower()] = value.strip()

    def on_headers_complete(self) -> None:
        """Judge the head: interim, stream, or plain; and no compression, we asked for none."""
        if self._complete:
            return
        response = self._response
        response.status = self._parser.get_status_code()
        if response.status < _FIRST_FINAL:
            self._interim = True
            return
        self._head_done = True
        response.streaming = response.kind == b"text/event-stream"
        if response.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            self._fail(UpstreamProtocolError("The upstream compresses, which nobody asked for."))

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        if not self._complete:
            self._size += len(body)
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Note the end of the answer, or of an interim one."""
        if self._interim:
            self._interim = False
            self._response.headers.clear()
            return
        if not self._complete:
            self._complete = True
            self._keep_alive = self._parser.should_keep_alive()

    # inside

    def _begin(self) -> None:
        self._response = Response()
        self._body: list[bytes] = []
        self._failure: UpstreamError | None = None
        self._complete = self._head_done = self._interim = False
        self._size = self._received = 0

    def _enforce_caps(self) -> None:
        if self._size > MAX_BODY or self._received > MAX_RECEIVED:
            self._fail(UpstreamProtocolError("The upstream's answer is larger than 4 MiB."))
        elif not self._head_done and self._received > MAX_HEAD:
            self._fail(UpstreamProtocolError("The upstream's headers are larger than 64 KiB."))

    def _ends_with_connection(self) -> bool:
        headers = self._response.headers
        return b"content-length" not in headers and b"transfer-encoding" not in headers

    async def _progress(self) -> None:
        if self._failure is None:
            self._waiter = self._loop.create_future()
            await self._waiter
        if self._failure is not None:
            raise self._failure

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, failure: UpstreamError) -> None:
        if self._failure is None:
            self._failure = failure
            self._complete = False
            self._body.clear()
            self.abort()
            self._wake()
