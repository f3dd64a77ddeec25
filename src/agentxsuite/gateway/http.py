"""Just enough HTTP for the data plane's doors, on raw ASGI (asgi.readthedocs.io, HTTP spec 2.5)."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agentxsuite import wire
from agentxsuite.gateway.refusals import Malformed, Refusal, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]
T = TypeVar("T")

MAX_BODY = 1024 * 1024  # bytes
JSON_TYPE = b"application/json"
PROBLEM_TYPE = b"application/problem+json"


class Gone(Exception):
    """The caller closed the connection before the answer was ready."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case, values stripped of white space."""

    method: str
    path: str
    headers: dict[bytes, bytes]
    address: str
    receive: Receive = field(repr=False)

    @classmethod
    def read(cls, scope: Scope, receive: Receive) -> "Request":
        """Take what the doors need from an ASGI scope."""
        headers = {name: value.strip() for name, value in scope["headers"]}
        client = scope.get("client")
        return cls(scope["method"], scope["path"], headers, client[0] if client else "", receive)

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
    await send({"type": "http.response.body", "body": body})


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
        send, refusal.status, wire.dumps(content), PROBLEM_TYPE, (*headers, *waiting(refusal))
    )


def waiting(refusal: Refusal) -> Headers:
    """``Retry-After`` in whole seconds (RFC 9110 section 10.2.3), where waiting helps."""
    if refusal.retry_after is None:
        return ()
    return ((b"retry-after", str(whole_seconds(refusal.retry_after)).encode()),)


def whole_seconds(seconds: float) -> int:
    """Seconds rounded up, at least one."""
    return max(1, -int(-seconds // 1))


async def unless_gone(work: Awaitable[T], receive: Receive) -> T:
    """Await ``work``, cancelled as soon as the caller hangs up; raises Gone then."""
    caller = asyncio.current_task()
    hung_up = False

    async def watch() -> None:
        nonlocal hung_up
        while (await receive())["type"] != "http.disconnect":
            pass
        hung_up = True
        if caller is not None:
            caller.cancel()

    watcher = asyncio.create_task(watch())
    try:
        return await work
    except asyncio.CancelledError:
        if hung_up and caller is not None and caller.uncancel() == 0:
            raise Gone from None
        raise
    finally:
        watcher.cancel()
