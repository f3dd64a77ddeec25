"""Group commit without a timer: when the writer is free, everything pending goes as one write.

One call alone waits for one commit; thirty-two at once share two or three. The queue is bounded by
changes and by bytes: beyond, callers are told to come back. A batch that fails is written change by
change, so that one bad row spoils nobody else's record.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.rows import Change

BATCH = 256  # changes in one write
QUEUED_CHANGES = 4096
QUEUED_BYTES = 64 * 1024 * 1024

log = logging.getLogger(__name__)

Pending = tuple[Change, int, "asyncio.Future[None]"]


class WriteFailed(Exception):
    """The database did not take a batch."""


class Writer(Protocol):
    """Writes a batch in one transaction, durable when it returns."""

    async def write(self, changes: Sequence[Change]) -> None:
        """Write all or nothing; raises WriteFailed."""
        ...

    async def aclose(self) -> None:
        """Let go of the database."""
        ...


class GroupCommit:
    """The ledger: ``commit`` returns when the change is durable."""

    def __init__(
        self, writer: Writer, max_changes: int = QUEUED_CHANGES, max_bytes: int = QUEUED_BYTES
    ) -> None:
        self._writer = writer
        self._max_changes = max_changes
        self._max_bytes = max_bytes
        self._queue: deque[Pending] = deque()
        self._bytes = 0
        self._worker: asyncio.Task[None] | None = None

    def commit(self, change: Change) -> asyncio.Future[None]:
        """Begin to write one change; the future is done when it is durable.

        It fails with Unavailable when the queue is full or the database does not take the change.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        weight = change.weight
        if len(self._queue) >= self._max_changes or self._bytes + weight > self._max_bytes:
            sentence = "Too many calls wait to be recorded: try again."
            done.set_exception(Unavailable("ledger_unavailable", sentence))
            return done
        self._queue.append((change, weight, done))
        self._bytes += weight
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._drain())
        return done

    async def aclose(self) -> None:
        """Write what is pending, then let go of the database."""
        if self._worker is not None:
            await self._worker
        await self._writer.aclose()

    async def _drain(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._bytes -= sum(weight for _, weight, _ in batch)
            await self._write(batch)

    async def _write(self, batch: Sequence[Pending]) -> None:
        try:
            await self._writer.write([change for change, _, _ in batch])
        except WriteFailed:
            if len(batch) > 1:
                for one in batch:
                    await self._write([one])
                return
            log.exception("a change could not be written")
            refusal = Unavailable("ledger_unavailable", "The record cannot be written: try again.")
            settle(batch, refusal)
        else:
            settle(batch, None)


def settle(batch: Sequence[Pending], error: Unavailable | None) -> None:
    """Tell everybody of a batch how it went; who has gone is not told."""
    for _, _, done in batch:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
