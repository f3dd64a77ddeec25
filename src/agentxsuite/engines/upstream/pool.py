"""A connection's sockets: kept alive between requests, never more than its share (a bulkhead)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from types import TracebackType

from agentxsuite.engines.upstream.errors import UpstreamError
from agentxsuite.engines.upstream.http1 import Connection

# Below the 5 seconds that common servers keep an idle connection, so that we hang up first.
IDLE_SECONDS = 4.0
# What a stream may take to end after its answer came; then a new socket is cheaper.
LINGER_SECONDS = 0.25


class Pool:
    """Sockets to one origin for one connection; at most ``limit`` at a time.

    Beyond the limit a request waits, within its own deadline.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], limit: int) -> None:
        self._connect = connect
        self._slots = asyncio.Semaphore(limit)
        self._idle: deque[Connection] = deque()
        self._lingering: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def lease(self) -> "Lease":
        """One socket for one exchange, as an asynchronous context."""
        return Lease(self)

    async def take(self) -> Connection:
        """The socket used last that is still good, or a new one; raises UpstreamError."""
        await self._slots.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if connection.fresh():
                    connection.reused = True
                    return connection
                connection.abort()
            return await self._connect()
        except BaseException:  # a cancelled wait, too, gives its slot back
            self._slots.release()
            raise

    def give(self, connection: Connection) -> None:
        """Take a socket back, in whatever state it is."""
        if connection.lingering and not self._closed:
            task = asyncio.create_task(_rest(connection))
            self._lingering.add(task)
            task.add_done_callback(partial(self._lingered, connection))
            return
        if connection.reusable and not self._closed:
            self._keep(connection)
        else:
            connection.abort()
        self._slots.release()

    def close(self) -> None:
        """Close what is idle now and everything else when it comes back."""
        self._closed = True
        for task in self._lingering:
            task.cancel()
        while self._idle:
            self._idle.pop().abort()
        if self._sweep is not None:
            self._sweep.cancel()

    def _keep(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_SECONDS, self._sweep_idle)

    def _sweep_idle(self) -> None:
        loop = asyncio.get_running_loop()
        oldest_allowed = loop.time() - IDLE_SECONDS
        while self._idle and (self._idle[0].closed or self._idle[0].idle_since <= oldest_allowed):
            self._idle.popleft().abort()
        self._sweep = None
        if self._idle:
            due = self._idle[0].idle_since + IDLE_SECONDS
            self._sweep = loop.call_at(due, self._sweep_idle)

    def _lingered(self, connection: Connection, task: asyncio.Task[None]) -> None:
        self._lingering.discard(task)
        if connection.lingering:  # it took too long, or the pool closed meanwhile
            connection.abort()
        self.give(connection)


async def _rest(connection: Connection) -> None:
    with suppress(UpstreamError, TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await connection.settled()


class Lease:
    """A socket while one exchange has it; closed unless the exchange ended well."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._connection.abort()
        self._pool.give(self._connection)
