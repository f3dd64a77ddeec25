"""MCP over Streamable HTTP, in both eras: a POST a message, answered by JSON or by a stream."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from agentxsuite.engines.upstream import jsonrpc, mirrors, notices
from agentxsuite.engines.upstream.calls import Call, Heard, Session
from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.endpoint import Endpoint, Web, check_headers
from agentxsuite.engines.upstream.errors import (
    SessionLost,
    StaleConnection,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamUnavailable,
)
from agentxsuite.engines.upstream.http1 import Connection, Response
from agentxsuite.engines.upstream.http_words import JSON_TYPE, head, refusal
from agentxsuite.engines.upstream.jsonrpc import Message
from agentxsuite.engines.upstream.pool import Pool
from agentxsuite.engines.upstream.sse import EventReader
from agentxsuite.wire import JSON

COURTESIES = 4  # sockets for what must not wait behind calls: cancellations, answers, goodbyes
COURTESY_SECONDS = 2.0

_SESSION_ID = re.compile(rb"[\x21-\x7e]{1,1024}")  # visible ASCII, says the protocol


class Streamable:
    """A Channel over HTTP; only the endpoint's own headers are ever sent."""

    def __init__(self, endpoint: Endpoint, web: Web, egress: Egress, limit: int) -> None:
        check_headers(endpoint.headers)
        connect = partial(egress.connect, web, Connection)
        self._connect = connect
        self._pool = Pool(connect, limit)
        self._courtesy = Pool(connect, COURTESIES)
        self._courtesies: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        self._path = web.path.encode()
        self._web, self._headers = web, endpoint.headers
        self._head = head(endpoint, web)

    async def start(self) -> None:
        """Nothing to start: a web server is there or is not."""

    async def ask(self, call: Call, session: Session) -> Message:
        """POST one request and read its result; raises UpstreamError.

        A request that is not repeatable is written once: also where a kept-alive socket turns
        out closed, since the upstream may have acted on it.
        """
        number = next(self._numbers)
        request = self._post(call.body(number, session.info.era), session, call)
        try:
            response, message = await self._fetch(request, call, session)
        except StaleConnection:
            if not call.repeatable:
                raise
            response, message = await self._fetch(request, call, session)
        except asyncio.CancelledError:
            self._cancel(number, call, session)
            raise
        if call.method == "initialize":
            session.id = _session_id(response)
        if message is None:
            message = _message(response, session)
        return jsonrpc.outcome(message, number)

    async def tell(self, body: bytes, session: Session, /) -> None:
        """POST a message that has no answer; raises UpstreamError."""
        async with self._courtesy.lease() as connection:
            await connection.exchange(self._post(body, session))

    async def listen(self, session: Session, wanted: Mapping[str, JSON], heard: Heard, /) -> bool:
        """Hear of changes on a socket of its own until the stream ends; raises UpstreamError."""
        connection = await self._connect()
        try:
            response = await connection.exchange(self._listening(session, wanted))
            if response.status != HTTPStatus.OK or not response.streaming:
                return response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            async for message in _messages(connection):
                if notice := notices.notice_of(message):
                    heard(notice)
                elif answer := jsonrpc.answer_for(message):
                    await self.tell(answer, session)
                connection.forgive()
        finally:
            connection.abort()
        return True

    def show(self, endpoint: Endpoint, /) -> None:
        """Send other headers from now on; raises EndpointInvalid."""
        if endpoint.headers != self._headers:
            check_headers(endpoint.headers)
            self._headers, self._head = endpoint.headers, head(endpoint, self._web)

    async def end(self, session: Session | None, /) -> None:
        """Close the sockets; a session is handed back. Calls under way may finish."""
        self._pool.close()
        if session is not None and session.id is not None:
            self._courteously(self._delete(session))
        if self._courtesies:
            await asyncio.wait(self._courtesies)
        self._courtesy.close()

    async def _fetch(
        self, request: bytes, call: Call, session: Session
    ) -> tuple[Response, Message | None]:
        async with self._pool.lease() as connection:
            call.sent = True
            response = await connection.exchange(request)
            if response.streaming and response.status == HTTPStatus.OK:
                return response, await self._follow(connection, call, session)
        return response, None

    async def _follow(self, connection: Connection, call: Call, session: Session) -> Message:
        """The first response in a stream; what the upstream says meanwhile is heard."""
        async for message in _messages(connection):
            if jsonrpc.is_response(message):
                return message
            answer = await call.answer(message)
            if answer is not None and session.info.era == "handshake":
                await self.tell(answer, session)
        raise UpstreamUnavailable("The upstream ended its stream without an answer.")

    def _cancel(self, number: int, call: Call, session: Session) -> None:
        # In the new era the closed connection says it; before, a disconnect means nothing.
        if call.sent and call.cancellable and session.info.era == "handshake":
            body = jsonrpc.notification("notifications/cancelled", {"requestId": number})
            self._courteously(self.tell(body, session))

    def _courteously(self, deed: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_briefly(deed))
        self._courtesies.add(task)
        task.add_done_callback(self._courtesies.discard)

    async def _delete(self, session: Session) -> None:
        async with self._courtesy.lease() as connection:
            await connection.exchange(self._request(b"DELETE", b"", _session_lines(session)))

    def _listening(self, session: Session, wanted: Mapping[str, JSON]) -> bytes:
        """How one asks to be told: by a GET in the old era, by a request in the new."""
        if session.info.era == "handshake":
            return self._request(b"GET", b"", _session_lines(session))
        call = Call(notices.LISTEN, {"notifications": wanted})
        return self._post(call.body(next(self._numbers), session.info.era), session, call)

    def _post(self, body: bytes, session: Session, call: Call | None = None) -> bytes:
        if call is None or session.info.era == "handshake":
            opening = call is not None and call.method == "initialize"
            lines = b"" if opening else _session_lines(session)
        else:
            lines = _routing_lines(session, call)
        return self._request(b"POST", body, lines)

    def _request(self, method: bytes, body: bytes, lines: bytes) -> bytes:
        return b"%b %b%b%bContent-Length: %d\r\n\r\n%b" % (
            method,
            self._path,
            self._head,
            lines,
            len(body),
            body,
        )


async def _messages(connection: Connection) -> AsyncIterator[Message]:
    """What comes in a stream, one by one; raises UpstreamError."""
    events = EventReader()
    while chunk := await connection.chunk():
        for data in filter(None, events.feed(chunk)):
            yield jsonrpc.read(data)


async def _briefly(deed: Coroutine[Any, Any, None]) -> None:
    with suppress(UpstreamError, TimeoutError):
        async with asyncio.timeout(COURTESY_SECONDS):
            await deed


def _routing_lines(session: Session, call: Call) -> bytes:
    """The headers that repeat what the body says, for whoever routes by them."""
    version = session.info.protocol_version
    lines = f"MCP-Protocol-Version: {version}\r\nMcp-Method: {call.method}\r\n"
    if call.name is not None:
        lines += f"Mcp-Name: {mirrors.encoded(call.name)}\r\n"
    for name, value in call.headers:
        lines += f"{name}: {value}\r\n"
    return lines.encode()


def _session_lines(session: Session) -> bytes:
    lines = b"MCP-Protocol-Version: %b\r\n" % session.info.protocol_version.encode()
    return lines if session.id is None else b"%bMcp-Session-Id: %b\r\n" % (lines, session.id)


def _session_id(response: Response) -> bytes | None:
    given = response.headers.get(b"mcp-session-id")
    if given is not None and not _SESSION_ID.fullmatch(given):
        raise UpstreamProtocolError("The upstream's session id cannot be sent back.")
    return given


def _message(response: Response, session: Session) -> Message:
    status = response.status
    if status == HTTPStatus.OK and response.kind == JSON_TYPE:
        return jsonrpc.read(response.body)
    if status == HTTPStatus.NOT_FOUND and session.id is not None:
        raise SessionLost("The upstream has forgotten the session.")
    raise refusal(response)
