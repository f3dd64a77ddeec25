"""The ledger on SQLite: one thread, one connection, one fsync a batch (WAL, synchronous=FULL)."""

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from agentxsuite.gateway.ledger import columns
from agentxsuite.gateway.ledger.group import WriteFailed
from agentxsuite.gateway.rows import Change, Row

Value = str | int | float | None


def insertion(table: str, types: Mapping[str, str]) -> str:
    """INSERT with one placeholder a column."""
    names = ", ".join(f'"{name}"' for name in types)
    marks = ", ".join("?" for _ in types)
    return f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608  -- our own names


def ending() -> str:
    """UPDATE of a run that is still running."""
    sets = ", ".join(f'"{name}" = ?' for name in columns.END if name != "id")
    return f'UPDATE "{columns.RUN_TABLE}" SET {sets} WHERE "id" = ? AND "status" = \'running\''  # noqa: S608  -- our own names


def values(rows: Iterable[Row | None], types: Mapping[str, str]) -> list[tuple[Value, ...]]:
    """Rows as tuples in column order; Django keeps UUIDs on SQLite without dashes."""
    return [
        tuple(
            value.replace("-", "") if types[name] == "uuid" and isinstance(value, str) else value
            for name in types
            for value in (row.get(name),)
        )
        for row in rows
        if row is not None
    ]


class SqliteWriter:
    """Writes batches to one database file in a thread of its own."""

    def __init__(self, path: str, busy_seconds: float = 20.0) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._connection: sqlite3.Connection | None = None
        self._insert_run = insertion(columns.RUN_TABLE, columns.RUN)
        self._insert_step = insertion(columns.STEP_TABLE, columns.STEP)
        self._insert_event = insertion(columns.EVENT_TABLE, columns.EVENT)
        self._end_run = ending()

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
        runs = values((change.run for change in changes), columns.RUN)
        ends = values((change.end for change in changes), columns.END)
        steps = values((row for change in changes for row in change.steps), columns.STEP)
        events = values((row for change in changes for row in change.events), columns.EVENT)
        connection.executemany(self._insert_run, runs)
        ended = connection.executemany(self._end_run, ends).rowcount if ends else 0
        if ended != len(ends):
            raise WriteFailed("a run to end was not running")
        connection.executemany(self._insert_step, steps)
        connection.executemany(self._insert_event, events)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
