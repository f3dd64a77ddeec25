"""The ledger on PostgreSQL: a batch is one statement, one round trip, one fsync.

The rows travel as four JSON arrays; the statement's common table expressions insert runs, end runs,
insert steps and insert events in one implicit transaction.
"""

from collections.abc import Iterable, Mapping, Sequence

import orjson
import psycopg

from agentxsuite.gateway.ledger import columns
from agentxsuite.gateway.ledger.group import WriteFailed
from agentxsuite.gateway.rows import Change, Row


def recordset(types: Mapping[str, str]) -> str:
    """One JSON array as rows; JSON columns travel as text, so that no number is touched."""
    names = ", ".join(
        f"{name} {'text' if kind == 'jsonb' else kind}" for name, kind in types.items()
    )
    return f"json_to_recordset(%s::json) AS x({names})"


def insertion(table: str, types: Mapping[str, str]) -> str:
    """INSERT of one JSON array."""
    names = ", ".join(types)
    picked = ", ".join(typed("x", name, kind) for name, kind in types.items())
    return f"INSERT INTO {table} ({names}) SELECT {picked} FROM {recordset(types)}"  # noqa: S608  -- our own names


def ending() -> str:
    """UPDATE of the runs of one JSON array that are still running."""
    sets = ", ".join(
        f"{name} = {typed('x', name, kind)}" for name, kind in columns.END.items() if name != "id"
    )
    return (
        f"UPDATE {columns.RUN_TABLE} AS r SET {sets} FROM {recordset(columns.END)} "  # noqa: S608  -- our own names
        "WHERE r.id = x.id AND r.status = 'running' RETURNING r.id"
    )


def typed(alias: str, name: str, kind: str) -> str:
    """A column of the record set in its table's type."""
    return f"{alias}.{name}::jsonb" if kind == "jsonb" else f"{alias}.{name}"


def statement() -> str:
    """The whole batch; a run to end that is not running aborts it (division by zero)."""
    return (
        f"WITH runs AS ({insertion(columns.RUN_TABLE, columns.RUN)}), "  # noqa: S608  -- our own names
        f"ended AS ({ending()}), "
        f"steps AS ({insertion(columns.STEP_TABLE, columns.STEP)}), "
        f"events AS ({insertion(columns.EVENT_TABLE, columns.EVENT)}) "
        "SELECT 1 / (count(*) = %s)::int FROM ended"
    )


class PostgresWriter:
    """Writes batches over one connection, opened again when it breaks."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.AsyncConnection | None = None
        self._statement = statement()

    async def write(self, changes: Sequence[Change]) -> None:
        """Write all or nothing, durable when it returns; raises WriteFailed."""
        ends = [change.end for change in changes if change.end]
        parameters = (
            packed(change.run for change in changes),
            packed(ends),
            packed(row for change in changes for row in change.steps),
            packed(row for change in changes for row in change.events),
            len(ends),
        )
        try:
            connection = await self._open()
            await connection.execute(self._statement, parameters, prepare=True)
        except (psycopg.Error, OSError) as error:
            raise WriteFailed(str(error)) from error

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _open(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, options="-c timezone=UTC"
            )
        return self._connection


def packed(rows: Iterable[Row | None]) -> str:
    """Rows as one JSON array."""
    return orjson.dumps([row for row in rows if row]).decode()
