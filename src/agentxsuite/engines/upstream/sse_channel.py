"""MCP over HTTP+SSE, the transport of 2024-11-05: POSTs go out, all answers come by one stream."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

from agentxsuite.engines.upstream import jsonrpc
from agentxsuite.engines.upstream.calls import Call, Heard, Session
from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.endpoint import Command, Endpoint, Web, check_headers, locate
from agentxsuite.engines.upstream.errors import (
    EndpointInvalid,
    SessionLost,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRpcError,
    UpstreamUnavailable,
)
from agentxsuite.engines.upstream.http1 import Connection, Response
from agentxsuite.engines.upstream.http_words import head, refusal
from agentxsuite.engines.upstream.jsonrpc import Message
from agentxsuite.engines.upstream.pool import Pool
from agentxsuite.engines.upstream.sse import EventReader
from agentxsuite.engines.upstream.switchboard import Switchboard
from agentxsuite.wire import JSON

COURTESIES = 4  # sockets for what must not wait behind calls
COURTESY_SECONDS = 2.0
SUCCESS = 2  # class of HTTP status

Hear = Callable[[Message], None]


class Stream:
    """The one stream of a conversation, from its opening to its death."""

    def __init__(self, connection: Connection, web: Web, hear: Hear) -> None:
        self._connection, self._web, self._hear = connection, web, hear
        self._events = EventReader()
        self.dead = False
        self.target = b""  # where POSTs go

    async def open(self, request: bytes) -> None:
        """Ask for the stream and wait for where to POST; raises UpstreamError."""
        response = await self._connection.exchange(request)
        if response.status != HTTPStatus.OK:
            raise refusal(response)
        if not response.streaming:
            raise UpstreamProtocolError("The upstream answers with no event stream.")
        while not self.target:
            await self._more()

    async def follow(self) -> UpstreamError:
        """Hear all that comes; returns why no more will."""
        try:
            while True:
                await self._more()
        except UpstreamError as error:
            return error
        finally:
            self.close()

    def close(self) -> None:
        """Hang up."""
        self.dead = True
        self._connection.abort()

    async def _more(self) -> None:
        chunk = await self._connection.chunk()
        if not chunk:
            raise UpstreamUnavailable("The upstream ended its stream.")
        self._connection.forgive()
        for kind, data in self._events.events(chunk):
            if kind == b"endpoint" and not self.target:
                self.target = target(self._web, data)
            elif kind in (b"", b"message") and self.target:
                self._hear(jsonrpc.read(data))


class HttpSse:
    """A Channel of one stream and many POSTs; at most ``limit`` calls wait at a time."""

    def __init__(self, endpoint: Endpoint, web: Web, egress: Egress, limit: int) -> None:
        check_headers(endpoint.headers)
        self._web, self._headers = web, endpoint.headers
        self._head = head(endpoint, web)
        self._connect = partial(egress.connect, web, Connection)
        self._pool = Pool(self._connect, limit)
        self._courtesy = Pool(self._connect, COURTESIES)
        self._slots = asyncio.Semaphore(limit)
        self._board = Switchboard()
        self._stream: Stream | None = None
        self._closed = False

    async def start(self) -> None:
        """Open the stream where there is none; raises UpstreamError."""
        if self._closed:
            raise UpstreamUnavailable("The connection to the upstream was closed.")
        if self._stream is not None and not self._stream.dead:
            return
        stream = Stream(await self._connect(), self._web, self._hear)
        try:
            await stream.open(self._request(b"GET", self._web.path.encode(), b""))
        except BaseException:  # a deadline, too, leaves no socket open
            stream.close()
            raise
        self._stream = stream
        self._board.keep(self._follow(stream))

    async def ask(self, call: Call, session: Session) -> Message:
        """POST one request and wait until the stream brings its result; raises UpstreamError."""
        if session.info.era == "stateless":  # this transport is older than that era
            raise UpstreamRpcError(jsonrpc.METHOD_NOT_FOUND, "Method not found")
        async with self._slots:
            with self._board.waiting(call) as (number, answer):
                try:
                    message = await self._asked(call.body(number, session.info.era), call, answer)
                except asyncio.CancelledError:
                    self._cancel(number, call)
                    raise
        return jsonrpc.outcome(message, number)

    async def tell(self, body: bytes, _session: Session, /) -> None:
        """POST a message that has no answer; raises UpstreamError."""
        await self._say(body)

    async def listen(self, _session: Session, _wanted: Mapping[str, JSON], heard: Heard, /) -> bool:
        """Hear of changes until the stream dies; raises UpstreamError."""
        self._alive()
        with self._board.listening(heard) as (_number, ended):
            await ended
        return True

    def show(self, endpoint: Endpoint, /) -> None:
        """Send other headers from now on; raises EndpointInvalid."""
        if endpoint.headers != self._headers:
            check_headers(endpoint.headers)
            self._headers, self._head = endpoint.headers, head(endpoint, self._web)

    async def end(self, _session: Session | None, /) -> None:
        """Close everything; calls under way fail."""
        self._closed = True
        if self._stream is not None:
            self._stream.close()
        self._board.fail(UpstreamUnavailable("The connection to the upstream was closed."))
        await self._board.quiet()
        self._pool.close()
        self._courtesy.close()

    async def _asked(self, body: bytes, call: Call, answer: "asyncio.Future[Message]") -> Message:
        request = self._post(body)
        async with self._pool.lease() as connection:
            call.sent = True
            self._check(await connection.exchange(request))
        return await answer

    def _check(self, response: Response) -> None:
        """Refuse what is no receipt; raises UpstreamError."""
        if response.status // 100 == SUCCESS:
            return
        if response.status == HTTPStatus.NOT_FOUND:
            self._alive().close()
            raise SessionLost("The upstream has forgotten the session.")
        raise refusal(response)

    async def _follow(self, stream: Stream) -> None:
        self._board.fail(await stream.follow())

    def _hear(self, message: Message) -> None:
        if answer := self._board.hear(message):
            self._board.keep(_briefly(self._say(answer)))

    async def _say(self, body: bytes) -> None:
        async with self._courtesy.lease() as connection:
            await connection.exchange(self._post(body))

    def _cancel(self, number: int, call: Call) -> None:
        if call.sent and call.cancellable:
            body = jsonrpc.notification("notifications/cancelled", {"requestId": number})
            self._board.keep(_briefly(self._say(body)))

    def _alive(self) -> Stream:
        """The stream, while it lives; raises SessionLost."""
        if self._stream is None or self._stream.dead:
            raise SessionLost("The upstream's stream has ended.")
        return self._stream

    def _post(self, body: bytes) -> bytes:
        return self._request(b"POST", self._alive().target, body)

    def _request(self, method: bytes, path: bytes, body: bytes) -> bytes:
        length = len(body)
        return b"%b %b%bContent-Length: %d\r\n\r\n%b" % (method, path, self._head, length, body)


def target(web: Web, told: bytes) -> bytes:
    """Where POSTs go, as the stream's first event tells; raises UpstreamProtocolError.

    It stays on the stream's own server: whoever could name another would get the credential.
    """
    base = f"{web.scheme}://{web.authority}{web.path}"
    try:
        where = locate(urljoin(base, told.decode("ascii")))
    except (EndpointInvalid, ValueError):
        raise UpstreamProtocolError("The upstream's endpoint event is no address.") from None
    if isinstance(where, Command) or replace(where, path=web.path) != replace(web, sse=False):
        raise UpstreamProtocolError("The upstream's endpoint event leads to another server.")
    return where.path.encode()


async def _briefly(deed: Coroutine[Any, Any, None]) -> None:
    with suppress(UpstreamError, TimeoutError):
        async with asyncio.timeout(COURTESY_SECONDS):
            await deed
