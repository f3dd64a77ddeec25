"""One connection to Redis that many tasks share: whatever waits goes out in one write.

Redis answers in the order it was asked, so replies are matched by their place in the queue. A task
that gives up leaves its place standing: nobody ever receives another's reply.
"""

import asyncio
from collections import deque
from typing import Any, cast

import hiredis


class Pipeline(asyncio.Protocol):
    """Commands out, replies in, on one connection (RESP 2).

    ``timeout`` is in seconds, per command. As replies come in order, one that is late holds up all
    the others: the connection is then given up and every waiting task gets ConnectionError.
    """

    def __init__(self, timeout: float) -> None:
        self.lost = asyncio.Event()
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._unsent: list[bytes] = []
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport  # asyncio hands it over before anything else happens

    async def ask(self, *command: str | int) -> Any:
        """The reply to ``command``; raises hiredis.ReplyError or ConnectionError."""
        if self.lost.is_set():
            raise ConnectionError("the connection to Redis is lost")
        if not self._unsent:
            self._loop.call_soon(self._flush)
        # The stub of hiredis takes a tuple of one; the function takes any.
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]
        reply: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((self._loop.time() + self._timeout, reply))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout, self._look)
        return await reply

    def close(self) -> None:
        """Drop the connection at once; whoever waits gets ConnectionError."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what asyncio opened."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """Hand every complete reply to the task whose turn it is."""
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                self._settle(self._waiting.popleft()[1], reply)
        except (hiredis.ProtocolError, IndexError):  # not RESP, or a reply that nobody asked for
            self.close()

    def connection_lost(self, _: Exception | None) -> None:
        """Tell every waiting task."""
        self.lost.set()
        if self._watch is not None:
            self._watch.cancel()
        while self._waiting:
            self._settle(
                self._waiting.popleft()[1], ConnectionError("the connection to Redis is lost")
            )

    @staticmethod
    def _settle(waiting: asyncio.Future[Any], reply: Any) -> None:
        if waiting.done():  # cancelled
            return
        if isinstance(reply, Exception):
            waiting.set_exception(reply)
        else:
            waiting.set_result(reply)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if not self._transport.is_closing():  # else those who wait are told by connection_lost
            self._transport.write(b"".join(unsent))

    def _look(self) -> None:
        """Give up on a late reply; one timer at a time serves all commands."""
        self._watch = None
        if not self._waiting:
            return
        deadline, _ = self._waiting[0]
        if deadline <= self._loop.time():
            self.close()
        else:
            self._watch = self._loop.call_at(deadline, self._look)
