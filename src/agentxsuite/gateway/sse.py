"""An answer as server-sent events, on raw ASGI (WHATWG HTML section 9.2; one message an event)."""

import asyncio
from collections.abc import Hashable, Mapping
from contextlib import suppress

from agentxsuite import wire
from agentxsuite.gateway.http import STALLED_SECONDS, Gone, Headers, Request, Send
from agentxsuite.gateway.outbox import Outbox
from agentxsuite.wire import JSON

QUIET_SECONDS = 15.0  # without a word; then a comment tells proxies that somebody is there
END_STREAMS = "agentxsuite.end_streams"  # where in ASGI's lifespan state is how to end them
COMMENT = b":\r\n\r\n"
STREAM_TYPE = b"text/event-stream"
HEADERS: Headers = (
    (b"content-type", STREAM_TYPE),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)


class EventStream:
    """One answer that may tell much before it ends; what waits for its reader is bounded.

    Nothing is sent before there is something to tell, or it was quiet for too long: until then
    another kind of answer is possible. Whoever opens it stops it.
    """

    def __init__(
        self, send: Send, quiet: float = QUIET_SECONDS, stalled: float = STALLED_SECONDS
    ) -> None:
        self._send = send
        self._quiet, self._stalled = quiet, stalled
        self._outbox = Outbox()
        self._last: bytes | None = None
        self._news = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._begun = False
        self._timer = asyncio.get_running_loop().call_later(quiet, self._begin)

    @property
    def silent(self) -> bool:
        """Whether nothing was told yet."""
        return self._writing is None

    def tell(self, message: Mapping[str, JSON], key: Hashable = None) -> None:
        """Let a message follow those that wait; under a key, in place of the one with that key."""
        self._outbox.put(event(message), key)
        self._begin()

    async def end(self, message: Mapping[str, JSON]) -> None:
        """Send the last message, behind all that wait; raises Gone when nobody takes them."""
        self._last = event(message)
        await self._begin()

    def stop(self) -> None:
        """Write no more."""
        self._timer.cancel()
        if self._writing is not None:
            self._writing.cancel()

    def _begin(self) -> asyncio.Task[None]:
        """Let there be somebody who writes, and wake them."""
        self._news.set()
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
            self._writing.add_done_callback(heed)
        return self._writing

    async def _write(self) -> None:
        """Write what is told until the last message; raises Gone when nobody takes it."""
        while self._outbox or self._last is None:
            if self._outbox:
                await self._pass_on(self._outbox.take())
            else:
                await self._wait()
        await self._pass_on(self._last, more=False)

    async def _wait(self) -> None:
        """Wait for news; when it has been quiet for too long, a comment goes out."""
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._quiet):
                await self._news.wait()
        if not self._news.is_set():
            await self._pass_on(COMMENT)

    async def _pass_on(self, body: bytes, *, more: bool = True) -> None:
        """Hand a part of the body to a reader, who may let us wait."""
        try:
            async with asyncio.timeout(self._stalled):
                if not self._begun:
                    self._begun = True
                    start = {"type": "http.response.start", "status": 200, "headers": [*HEADERS]}
                    await self._send(start)
                await self._send({"type": "http.response.body", "body": body, "more_body": more})
        except TimeoutError:
            raise Gone from None


def heed(writing: asyncio.Task[None]) -> None:
    """Nobody may wait for a writer any more: that its reader left is no news then."""
    if not writing.cancelled():
        writing.exception()


def event(message: Mapping[str, JSON]) -> bytes:
    """One message as an event; serialised JSON has no line breaks."""
    return b"event: message\r\ndata: %b\r\n\r\n" % wire.dumps(message)


def accepts_events(request: Request) -> bool:
    """Whether the caller reads event streams (RFC 9110 section 12.5.1, without weights)."""
    kinds = (request.text(b"accept") or "").lower().split(",")
    return any(kind.partition(";")[0].strip() == "text/event-stream" for kind in kinds)
