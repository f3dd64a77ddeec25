"""A connection to PostgreSQL for questions that are asked thousands of times a second.

Its statements are prepared once. Those that are asked together travel in one round trip and make
one implicit transaction (libpq's pipeline mode: it ends at the synchronisation point), so that a
setting that one makes for the transaction holds for those after it, and for nobody else.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Self

import psycopg
from psycopg import pq

Asked = tuple[str, Sequence[str]]  # a statement's name and its values, as text
Rows = list[tuple[str | None, ...]]  # as text, too

NO_MORE = 2
FINE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class LineLost(ConnectionError):
    """The connection is gone, or in a state in which nothing may be asked any more."""


class Line:
    """One connection, on which one question at a time is asked; any failure closes it."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection  # keeps what it has opened
        self._link = connection.pgconn
        self._socket = self._link.socket
        self._loop = asyncio.get_running_loop()
        self._results: list[pq.abc.PGresult] = []
        self._answered = asyncio.Event()
        self.closed = False

    @classmethod
    async def open(cls, conninfo: str, statements: Mapping[str, str]) -> Self:
        """Connect, and prepare statements by their names; raises psycopg.Error, OSError."""
        line = cls(await psycopg.AsyncConnection.connect(conninfo, autocommit=True))
        line._link.enter_pipeline_mode()
        line._loop.add_reader(line._socket, line._receive)
        for name, statement in statements.items():
            line._link.send_prepare(name.encode(), statement.encode())
        await line._round_trip()
        return line

    async def ask(self, *questions: Asked) -> Rows:
        """The rows of the last of some statements; raises psycopg.Error, LineLost."""
        for name, values in questions:
            encoded = [value.encode() for value in values]
            self._link.send_query_prepared(name.encode(), encoded)
        results = await self._round_trip()
        return rows_of(results[-1])

    def close(self) -> None:
        """Let go of the connection; whoever waits is told that it is lost."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._link.finish()
        self._answered.set()

    async def _round_trip(self) -> list[pq.abc.PGresult]:
        """Send what has been asked and return a result for each."""
        self._answered.clear()
        try:
            self._link.pipeline_sync()
            self._send()
            await self._wait()
            check(self._results)
        except BaseException:  # also when cancelled: what comes late answers nobody else
            self.close()
            raise
        results, self._results = self._results, []
        return results

    async def _wait(self) -> None:
        await self._answered.wait()
        if self.closed:
            raise LineLost("the connection was lost")

    def _send(self) -> None:
        """Write until everything is on its way."""
        if self._link.flush():
            self._loop.add_writer(self._socket, self._send)
        else:
            self._loop.remove_writer(self._socket)

    def _receive(self) -> None:
        """Take what has come; between two questions that can only be the end."""
        try:
            self._link.consume_input()
        except psycopg.Error:
            self.close()
            return
        nothing = 0  # one None ends a statement's results, two mean that there is no more to come
        while nothing < NO_MORE and not self._link.is_busy():
            result = self._link.get_result()
            nothing = 0 if result else nothing + 1
            if result is not None:
                self._take(result)

    def _take(self, result: pq.abc.PGresult) -> None:
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            self._answered.set()
        else:
            self._results.append(result)


def check(results: Iterable[pq.abc.PGresult]) -> None:
    """Raise the psycopg.Error of the first statement that failed."""
    for result in results:
        if result.status not in FINE:
            raise psycopg.errors.error_from_result(result)


def rows_of(result: pq.abc.PGresult) -> Rows:
    """What a result holds."""
    return [
        tuple(text_of(result.get_value(row, column)) for column in range(result.nfields))
        for row in range(result.ntuples)
    ]


def text_of(value: bytes | None) -> str | None:
    """One value; PostgreSQL's NULL is None."""
    return None if value is None else value.decode()


def array_of(values: Collection[str]) -> str:
    """An array as PostgreSQL's text (its documentation, section 8.15.6)."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"
