"""Group commit without a timer: when the writer is free, everything pending goes as one write.

One call alone waits for one commit; thirty-two at once share two or three. What waits is bounded by
changes and by bytes: beyond, callers are told to come back. A batch that fails is written change by
change, so that one bad row spoils nobody else's record. While the database is away, nothing
begins; the ends of what has begun are tried again for a while.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from agentxsuite.gateway.guards import AlreadyEnded, KeyTaken
from agentxsuite.gateway.ledger.batch import Pending, gathered, take
from agentxsuite.gateway.ledger.database import Away, Database, WriteFailed
from agentxsuite.gateway.ledger.leases import Leases
from agentxsuite.gateway.refusals import NotRecorded, Unavailable, Unrecordable
from agentxsuite.gateway.rows import Change

HELD_CHANGES = 4096
HELD_BYTES = 64 * 1024 * 1024
ENDS_SHARE = 2  # times the bounds: what has begun must be able to end
RETRY_SECONDS = 20.0  # how long an end is tried again
RETRY_PAUSE = 0.2  # seconds between two tries

log = logging.getLogger(__name__)


class GroupCommit(Leases):
    """The ledger: ``commit`` makes a change durable; leases are its other half."""

    def __init__(
        self,
        database: Database,
        max_changes: int = HELD_CHANGES,
        max_bytes: int = HELD_BYTES,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        super().__init__(database)
        self._database = database
        self._max_changes = max_changes
        self._max_bytes = max_bytes
        self._retry_seconds = retry_seconds
        self._queue: deque[Pending] = deque()
        self._changes = self._bytes = 0  # that are held, waiting or being written
        self._away = False
        self._worker: asyncio.Task[None] | None = None

    def commit(self, change: Change) -> asyncio.Future[None]:
        """Begin to write one change; the future is done when it is durable.

        It fails with KeyTaken or AlreadyEnded when its guard does not hold, with NotRecorded when
        too much waits already, with Unrecordable when the database refuses the change, and with
        any other Unavailable when the database is away: the change may then be on record.
        """
        loop = asyncio.get_running_loop()
        pending = Pending(change, change.weight, loop.create_future())
        share = ENDS_SHARE if change.end else 1
        if (
            self._changes >= self._max_changes * share
            or self._bytes + pending.weight > self._max_bytes * share
        ):
            pending.done.set_exception(NotRecorded())
            return pending.done
        self._changes += 1
        self._bytes += pending.weight
        self._queue.append(pending)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._drain())
        return pending.done

    async def aclose(self) -> None:
        """Write what is pending, then let go of the database."""
        if self._worker is not None:
            await self._worker
        await self._database.aclose()

    async def _drain(self) -> None:
        while self._queue:
            await self._write(take(self._queue))
            if self._away:
                self._away = False
                await asyncio.sleep(RETRY_PAUSE)

    async def _write(self, batch: Sequence[Pending]) -> None:
        try:
            await self._try(batch)
        except Away as error:
            self._put_off(batch, error)
        except WriteFailed as error:
            log.warning("%d changes are written one by one: %s", len(batch), error)
            await self._write_singly(batch)

    async def _write_singly(self, batch: Sequence[Pending]) -> None:
        for place, pending in enumerate(batch):
            try:
                await self._try([pending])
            except Away as error:
                return self._put_off(batch[place:], error)
            except WriteFailed as error:
                self._refuse([pending], error)
        return None

    async def _try(self, batch: Sequence[Pending]) -> None:
        skipped = await self._database.write(gathered([pending.change for pending in batch]))
        for pending in batch:
            change = pending.change
            if skipped and change.run_id in skipped:
                self._finish(pending, KeyTaken() if change.key else AlreadyEnded())
            else:
                self._finish(pending, None)

    def _put_off(self, batch: Sequence[Pending], error: Away) -> None:
        """Keep the ends for another try, and refuse all others: they have not begun."""
        self._away = True
        now = asyncio.get_running_loop().time()
        ends = [pending for pending in batch if pending.change.end]
        for pending in ends:
            pending.until = pending.until or now + self._retry_seconds
        kept = [pending for pending in ends if now < (pending.until or 0)]
        self._queue.extendleft(reversed(kept))
        self._refuse([pending for pending in batch if pending not in kept], error)

    def _refuse(self, batch: Sequence[Pending], error: WriteFailed) -> None:
        if batch:
            log.error("%d changes could not be written: %s", len(batch), error)
        for pending in batch:
            self._finish(pending, unwritten(error))

    def _finish(self, pending: Pending, error: Exception | None) -> None:
        """Tell how it went; who has gone is not told."""
        self._changes -= 1
        self._bytes -= pending.weight
        if pending.done.done():
            return
        if error is None:
            pending.done.set_result(None)
        else:
            pending.done.set_exception(error)


def unwritten(error: WriteFailed) -> Unavailable:
    """What a caller is told; only a database that is away leaves it open what was written."""
    if isinstance(error, Away):
        return Unavailable("ledger_unavailable", "The record cannot be reached: try again.")
    return Unrecordable()
