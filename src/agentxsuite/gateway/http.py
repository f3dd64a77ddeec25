"""Just enough HTTP for the data plane's doors, on raw ASGI (asgi.readthedocs.io, HTTP spec 2.5)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeVar

from msgspec import Struct

from agentxsuite import wire
from agentxsuite.gateway.refusals import Malformed, Refusal, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]
T = TypeVar("T")

MAX_BODY = 1024 * 1024  # bytes
PATIENCE = 0.05  # seconds before a caller is watched: most calls are over by then
STALLED_SECONDS = 60.0  # in which a reader takes nothing; then nobody reads
PART = 256 * 1024  # bytes of a body that are sent at once
JSON_TYPE = b"application/json"
PROBLEM_TYPE = b"application/problem+json"
REPLAYED: Headers = ((b"idempotency-replayed", b"true"),)


class Gone(Exception):
    """The caller closed the connection before the answer was ready."""


class Request(Struct, frozen=True):
    """One HTTP request; header names are lower case, values stripped of white space.

    ``certificate`` is the client's, where somebody who ended TLS tells us.
    """

    method: str
    path: str
    headers: dict[bytes, bytes]
    address: str
    receive: Receive
    query: str = ""
    certificate: str | None = None

    @classmethod
    def read(cls, scope: Scope, receive: Receive) -> "Request":
        """Take what the doors need from an ASGI scope."""
        headers = {name: value.strip() for name, value in scope["headers"]}
        if len(headers) < len(scope["headers"]):
            headers = joined(scope["headers"])
        client = scope.get("client")
        address = client[0] if client else ""
        query = scope.get("query_string", b"").decode("latin-1")
        shown = certificate(scope)
        return cls(scope["method"], scope["path"], headers, address, receive, query, shown)

    def text(self, name: bytes) -> str | None:
        """A header's value, or None."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    async def body(self) -> bytes:
        """The whole body, at most 1 MiB; raises TooLarge or Gone."""
        length = self.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > MAX_BODY:
            raise too_large()
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Gone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > MAX_BODY:
                raise too_large()
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def json(self) -> wire.JSON:
        """The body as exact JSON; raises Malformed, TooLarge or Gone."""
        try:
            return wire.loads(await self.body())
        except wire.WireError as error:
            raise Malformed(
                error.code, f"The body is not acceptable JSON: {error.detail}"
            ) from None


def joined(lines: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers of which some come more than once: a list of all values (RFC 9110 section 5.3).

    So nobody before us can have gone by one of them while we go by another.
    """
    headers: dict[bytes, bytes] = {}
    for name, value in lines:
        known = headers.get(name)
        headers[name] = value.strip() if known is None else b"%b, %b" % (known, value.strip())
    return headers


def certificate(scope: Scope) -> str | None:
    """The client's own certificate (ASGI TLS extension 0.2): the first one of its chain."""
    secured = (scope.get("extensions") or {}).get("tls")
    return next(iter(secured.get("client_cert_chain") or ()), None) if secured else None


def too_large() -> TooLarge:
    """The refusal of a body beyond the cap."""
    return TooLarge("body_too_large", f"The body is larger than {MAX_BODY} bytes.")


async def reply(
    send: Send, status: int, body: bytes, kind: bytes = JSON_TYPE, headers: Headers = ()
) -> None:
    """Send one whole response."""
    lines = [(b"content-length", str(len(body)).encode()), *headers]
    if body:
        lines.append((b"content-type", kind))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    if len(body) > PART:
        return await send_in_parts(send, body)
    return await send({"type": "http.response.body", "body": body})


async def send_in_parts(send: Send, body: bytes) -> None:
    """Send a long body as it is read; raises Gone when nobody takes it.

    Sent at once it would wait in memory for a reader who never comes.
    """
    for at in range(0, len(body), PART):
        part, more = body[at : at + PART], at + PART < len(body)
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await send({"type": "http.response.body", "body": part, "more_body": more})
        except TimeoutError:
            raise Gone from None


async def problem(send: Send, refusal: Refusal, headers: Headers = ()) -> None:
    """Answer a refusal as ``application/problem+json`` (RFC 9457)."""
    content: dict[str, wire.JSON] = {
        "type": f"urn:agentxsuite:problem:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
    }
    if refusal.errors:
        content["errors"] = list(refusal.errors)
    content |= refusal.members()
    if refusal.recorded:
        content["decision_id"] = refusal.recorded.decision_id
        if refusal.recorded.run_id:
            content["run_id"] = refusal.recorded.run_id
    await reply(
        send, refusal.status, wire.dumps(content), PROBLEM_TYPE, (*headers, *about(refusal))
    )


def about(refusal: Refusal) -> Headers:
    """``Retry-After`` in whole seconds (RFC 9110 section 10.2.3), where waiting helps.

    And whether it repeats what the same request was told before.
    """
    replayed = REPLAYED if refusal.replayed else ()
    if refusal.retry_after is None:
        return replayed
    return ((b"retry-after", str(whole_seconds(refusal.retry_after)).encode()), *replayed)


def whole_seconds(seconds: float) -> int:
    """Seconds rounded up, at least one."""
    return max(1, -int(-seconds // 1))


async def unless_gone(work: Awaitable[T], receive: Receive) -> T:
    """Await ``work``, cancelled when the caller hangs up meanwhile; raises Gone then."""
    loop = asyncio.get_running_loop()
    watcher = Watcher(receive)
    timer = loop.call_later(PATIENCE, watcher.start)
    try:
        return await work
    except asyncio.CancelledError:
        if watcher.caller_gone and watcher.caller.uncancel() == 0:
            raise Gone from None
        raise
    finally:
        timer.cancel()
        watcher.stop()


class Watcher:
    """Cancels the task that made it when the caller of its request hangs up."""

    def __init__(self, receive: Receive) -> None:
        task = asyncio.current_task()
        assert task is not None, "a request is answered in a task"  # noqa: S101  -- narrows the type
        self.caller = task
        self.caller_gone = False
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._watching = asyncio.create_task(self._watch())

    def stop(self) -> None:
        """Watch no longer."""
        if self._watching is not None:
            self._watching.cancel()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.caller_gone = True
        self.caller.cancel()
