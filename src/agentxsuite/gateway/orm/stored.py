"""What a request with a key was answered before: its run, read by the key's row.

Reads over a connection of its own, so that calls without a key never wait for one with.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from agentxsuite.control.tenancy.scope import SHOW
from agentxsuite.gateway.gate import StoredRun
from agentxsuite.gateway.orm.directory import database_down
from agentxsuite.gateway.orm.sqlite import compact
from agentxsuite.gateway.rows import Row

COLUMNS = ("organization_id", "principal", "method", "path", "key")
STORED = """
SELECT k.digest, r.id, r.decision_id, r.status, r.outcome_code, r.tool_version, r.started_at,
r.ended_at, {output}, r.error_text, CASE WHEN r.outcome_code = 'upstream_error' THEN
(SELECT {code} FROM runs_runstep s WHERE s.run_id = r.id AND s.step_type = 'upstream' LIMIT 1) END
FROM runs_idempotencykey k JOIN runs_run r ON r.id = k.run_id
WHERE k.organization_id = {mark} AND r.organization_id = k.organization_id
AND k.principal = {mark} AND k.method = {mark} AND k.path = {mark} AND k.key = {mark}
"""
ON_POSTGRES = STORED.format(output="r.output_json::text", code="s.details ->> 'code'", mark="%s")
ON_SQLITE = STORED.format(output="r.output_json", code="s.details ->> '$.code'", mark="?")


class PostgresAnswers:
    """Reads over one connection, opened again when it breaks."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.AsyncConnection | None = None
        self._lock = asyncio.Lock()

    async def stored(self, reserved: Row) -> StoredRun | None:
        """Find the run of a key; raises Unavailable."""
        try:
            async with self._lock:
                found = await self._fetch(values_of(reserved))
        except (psycopg.Error, OSError):
            raise database_down() from None
        return run_of(found) if found else None

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _fetch(self, values: Sequence[str]) -> tuple[Any, ...] | None:
        connection = await self._open()
        async with connection.pipeline(), connection.transaction():  # one round trip
            await connection.execute(SHOW, values[:1], prepare=True)
            cursor = await connection.execute(ON_POSTGRES, values, prepare=True)
            return await cursor.fetchone()

    async def _open(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, options="-c timezone=UTC"
            )
        return self._connection


class SqliteAnswers:
    """Reads one database file over a connection that cannot write, on the loop itself."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def stored(self, reserved: Row) -> StoredRun | None:
        """Find the run of a key; raises Unavailable."""
        organization, *rest = values_of(reserved)
        try:
            found = self._open().execute(ON_SQLITE, [compact(organization), *rest]).fetchone()
        except sqlite3.Error:
            raise database_down() from None
        return run_of(found) if found else None

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, isolation_level=None
            )
        return self._connection


def values_of(reserved: Row) -> list[str]:
    """What a key is found by."""
    return [str(reserved[name]) for name in COLUMNS]


def run_of(found: Sequence[Any]) -> StoredRun:
    """A row of either database."""
    digest, run, decision, status, outcome, version, started, ended, output, error, code = found
    return StoredRun(
        digest=digest,
        run_id=str(UUID(str(run))),
        decision_id=str(UUID(str(decision))),
        status=status,
        outcome_code=outcome,
        tool_version=version,
        started_at=moment(started),
        ended_at=moment(ended),
        output=output,
        error_text=error,
        code=code,
    )


def moment(value: datetime | str | None) -> datetime | None:
    """A time of either database, in UTC."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value
