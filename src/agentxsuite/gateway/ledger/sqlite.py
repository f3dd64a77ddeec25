"""The ledger on SQLite: one thread, one connection, one fsync a batch (WAL, synchronous=FULL).

A batch is four statements, each with all its rows. A statement a row would hand Python's
interpreter lock to and fro a hundred times a batch, and wait for it each time.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from agentxsuite.gateway.ledger import columns
from agentxsuite.gateway.ledger.group import WriteFailed
from agentxsuite.gateway.rows import Change, Row

CHECKPOINT_PAGES = 10_000  # of the log, 40 MB: the same few pages are written again and again
STATEMENTS = 1024  # kept prepared: there is one for each number of rows

Value = str | int | float | None


def marks(width: int, height: int) -> str:
    """Placeholders of ``height`` rows of ``width`` columns."""
    row = f"({', '.join('?' * width)})"
    return ", ".join([row] * height)


@lru_cache(STATEMENTS)
def insertion(table: str, names: tuple[str, ...], count: int) -> str:
    """INSERT of ``count`` rows."""
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {marks(len(names), count)}"  # noqa: S608  -- our own names


@lru_cache(STATEMENTS)
def ending(count: int) -> str:
    """UPDATE of ``count`` runs, of those that are still running."""
    sets = ", ".join(
        f"{name} = x.column{place}" for place, name in enumerate(columns.END, 1) if name != "id"
    )
    key = list(columns.END).index("id") + 1
    return (
        f"UPDATE {columns.RUN_TABLE} AS r SET {sets} "  # noqa: S608  -- our own names
        f"FROM (VALUES {marks(len(columns.END), count)}) AS x "
        f"WHERE r.id = x.column{key} AND r.status = 'running'"
    )


def flat(rows: Iterable[Row], types: Mapping[str, str]) -> list[Value]:
    """All values, row by row in column order; Django keeps UUIDs on SQLite without dashes."""
    return [
        value.replace("-", "") if kind == "uuid" and isinstance(value, str) else value
        for row in rows
        for name, kind in types.items()
        for value in (row.get(name),)
    ]


class SqliteWriter:
    """Writes batches to one database file in a thread of its own."""

    def __init__(self, path: str, busy_seconds: float = 20.0) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._connection: sqlite3.Connection | None = None

    async def write(self, changes: Sequence[Change]) -> None:
        """Write all or nothing, durable when it returns; raises WriteFailed."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, changes)

    async def aclose(self) -> None:
        """Close the connection and its thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _write(self, changes: Sequence[Change]) -> None:
        try:
            connection = self._connection = self._connection or self._open()
            with connection:  # commits, or rolls back
                connection.execute("BEGIN IMMEDIATE")
                self._execute(connection, changes)
        except sqlite3.Error as error:
            raise WriteFailed(str(error)) from error

    def _execute(self, connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
        runs = [change.run for change in changes if change.run]
        ends = [change.end for change in changes if change.end]
        steps = [row for change in changes for row in change.steps]
        events = [row for change in changes for row in change.events]
        insert(connection, columns.RUN_TABLE, columns.RUN, runs)
        if ends:
            ended = connection.execute(ending(len(ends)), flat(ends, columns.END)).rowcount
            if ended != len(ends):
                raise WriteFailed("a run to end was not running")
        insert(connection, columns.STEP_TABLE, columns.STEP, steps)
        insert(connection, columns.EVENT_TABLE, columns.EVENT, events)

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


def insert(
    connection: sqlite3.Connection, table: str, types: Mapping[str, str], rows: Sequence[Row]
) -> None:
    """Insert all rows by one statement."""
    if rows:
        connection.execute(insertion(table, tuple(types), len(rows)), flat(rows, types))
