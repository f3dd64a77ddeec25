"""The ledger on SQLite: one thread, one connection, one fsync a batch (WAL, synchronous=FULL).

Everybody else in this process who writes to the file waits at the same lock, in order.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from agentxsuite.control.storage.sqlite.lock import write_lock
from agentxsuite.gateway.ledger import columns
from agentxsuite.gateway.ledger.batch import Batch
from agentxsuite.gateway.ledger.database import Away, Found, Value, Words, WriteFailed
from agentxsuite.gateway.ledger.sqlite_statements import (
    STATEMENTS,
    ending,
    flat,
    insertion,
    recognising,
    releasing,
    reserving,
)
from agentxsuite.gateway.rows import Row

CHECKPOINT_PAGES = 10_000  # of the log, 40 MB: the same few pages are written again and again
BUSY_SECONDS = 4.0  # of waiting for other writers, of this process and of others
MOMENT = "strftime('%Y-%m-%d %H:%M:%f', {})"  # sorts with Django's, which has more digits
WORDS = Words(
    mark="?",
    now=MOMENT.format("'now'"),
    ago=MOMENT.format("'now', (-?) || ' seconds'"),
    due=MOMENT.format("r.started_at, (r.timeout_seconds + ?) || ' seconds'"),
)

Answer = TypeVar("Answer")


class SqliteWriter:
    """Writes batches to one database file in a thread of its own."""

    words = WORDS

    def __init__(self, path: str, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._lock = write_lock(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._connection: sqlite3.Connection | None = None

    async def write(self, batch: Batch) -> Collection[str]:
        """Write all or nothing, durable when it returns; returns the runs left out."""
        return await self._in_thread(lambda connection: written(connection, batch))

    async def run(self, statement: str, parameters: Sequence[Value]) -> Found:
        """Run one statement about leases."""
        given = [each.hex if isinstance(each, UUID) else each for each in parameters]
        return await self._in_thread(
            lambda connection: connection.execute(statement, given).fetchall()
        )

    async def aclose(self) -> None:
        """Close the connection and its thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _in_thread(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Do the work in one transaction; raises Away or WriteFailed."""
        try:
            connection = self._connection = self._connection or self._open()
            with self._lock.held(self._busy_seconds), connection:  # commits, or rolls back
                connection.execute("BEGIN IMMEDIATE")
                return work(connection)
        except sqlite3.OperationalError as error:  # locked, full, not there
            raise Away(str(error)) from error
        except sqlite3.Error as error:
            raise WriteFailed(str(error)) from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def written(connection: sqlite3.Connection, batch: Batch) -> set[str]:
    """Write a batch; returns the runs that are left out because their guard did not hold."""
    taken = missed(batch.keys, "run_id", reserve(connection, batch.keys))
    ended = missed(batch.ends, "id", end(connection, batch.ends))
    insert(connection, columns.RUN_TABLE, columns.RUN, without(taken, batch.runs, "id"))
    skipped = taken | ended
    steps, events = (without(skipped, rows, "run_id") for rows in (batch.steps, batch.events))
    insert(connection, columns.STEP_TABLE, columns.STEP, steps)
    insert(connection, columns.EVENT_TABLE, columns.EVENT, events)
    released = [run_id.replace("-", "") for run_id in batch.released if run_id not in skipped]
    if released:
        connection.execute(releasing(len(released)), released)
    return skipped - on_record(connection, [row for row in batch.ends if row["id"] in ended])


def reserve(connection: sqlite3.Connection, keys: Sequence[Row]) -> list[tuple[str]]:
    """Reserve keys; returns the runs that got theirs."""
    if not keys:
        return []
    return connection.execute(reserving(len(keys)), flat(keys, columns.KEY)).fetchall()


def end(connection: sqlite3.Connection, ends: Sequence[Row]) -> list[tuple[str]]:
    """End runs; returns those that had not ended."""
    if not ends:
        return []
    return connection.execute(ending(len(ends)), flat(ends, columns.END)).fetchall()


def on_record(connection: sqlite3.Connection, ends: Sequence[Row]) -> set[str]:
    """The runs whose end is on record exactly so."""
    if not ends:
        return set()
    known = connection.execute(recognising(len(ends)), flat(ends, columns.END))
    return {str(UUID(run_id)) for (run_id,) in known}


def missed(rows: Sequence[Row], name: str, returned: Iterable[tuple[str]]) -> set[str]:
    """The runs that rows are about and the database did not return."""
    if not rows:
        return set()
    done = {run_id for (run_id,) in returned}
    asked = {str(row[name]) for row in rows}
    return {run_id for run_id in asked if run_id.replace("-", "") not in done}


def without(skipped: Collection[str], rows: Sequence[Row], name: str) -> Sequence[Row]:
    """Rows that are not about a skipped run."""
    return [row for row in rows if row[name] not in skipped] if skipped else rows


def insert(
    connection: sqlite3.Connection, table: str, types: Mapping[str, str], rows: Sequence[Row]
) -> None:
    """Insert all rows by one statement."""
    if rows:
        connection.execute(insertion(table, tuple(types), len(rows)), flat(rows, types))
