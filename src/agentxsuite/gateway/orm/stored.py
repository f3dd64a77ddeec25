"""What a request with a key was answered before: its run, read by the key's row.

Reads over a connection of its own, so that calls without a key never wait for one with.
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from agentxsuite.gateway.gate import StoredRun
from agentxsuite.gateway.orm.directory import database_down
from agentxsuite.gateway.orm.file import ReadOnlyFile
from agentxsuite.gateway.orm.hotline import READ_SECONDS, Hotline
from agentxsuite.gateway.orm.reading import ReadFailed
from agentxsuite.gateway.orm.sqlite import compact
from agentxsuite.gateway.rows import Row

COLUMNS = ("organization_id", "principal", "method", "path", "key")
STORED = """
SELECT k.digest, r.id, r.decision_id, r.status, r.outcome_code, r.tool_version, {started},
{ended}, {output}, r.error_text, CASE WHEN r.outcome_code = 'upstream_error' THEN
(SELECT {code} FROM runs_runstep s WHERE s.run_id = r.id AND s.step_type = 'upstream' LIMIT 1) END
FROM runs_idempotencykey k JOIN runs_run r ON r.id = k.run_id
WHERE r.organization_id = k.organization_id AND k.organization_id = {organization}
AND k.principal = {principal} AND k.method = {method} AND k.path = {path} AND k.key = {key}
"""
MOMENT = "to_char(r.{}_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
STATEMENTS = {
    "stored": STORED.format(
        started=MOMENT.format("started"),
        ended=MOMENT.format("ended"),
        output="r.output_json::text",
        code="s.details ->> 'code'",
        organization="$1::uuid",
        principal="$2",
        method="$3",
        path="$4",
        key="$5",
    ),
}
ON_SQLITE = STORED.format(
    started="r.started_at",
    ended="r.ended_at",
    output="r.output_json",
    code="s.details ->> '$.code'",
    **dict.fromkeys(("organization", "principal", "method", "path", "key"), "?"),
)


class PostgresAnswers:
    """Reads over one line, within the organization of the key."""

    def __init__(self, conninfo: str, patience: float = READ_SECONDS) -> None:
        self._hotline = Hotline(conninfo, STATEMENTS, patience)

    async def stored(self, reserved: Row) -> StoredRun | None:
        """Find the run of a key; raises Unavailable."""
        values = values_of(reserved)
        try:
            found = await self._hotline.ask(values[:1], "stored", values)
        except ReadFailed:
            raise database_down() from None
        return run_of(found[0]) if found else None

    async def aclose(self) -> None:
        """Close the connection."""
        self._hotline.close()


class SqliteAnswers:
    """Reads one database file over a connection that cannot write, on the loop itself."""

    def __init__(self, path: str) -> None:
        self._file = ReadOnlyFile(path)

    async def stored(self, reserved: Row) -> StoredRun | None:
        """Find the run of a key; raises Unavailable."""
        organization, *rest = values_of(reserved)
        try:
            found = self._file.open().execute(ON_SQLITE, [compact(organization), *rest]).fetchone()
        except sqlite3.Error:
            raise database_down() from None
        return run_of(found) if found else None

    async def aclose(self) -> None:
        """Close the connection."""
        self._file.close()


def values_of(reserved: Row) -> list[str]:
    """What a key is found by."""
    return [str(reserved[name]) for name in COLUMNS]


def run_of(found: Sequence[Any]) -> StoredRun:
    """A row of either database."""
    digest, run, decision, status, outcome, version, started, ended, output, error, code = found
    return StoredRun(
        digest=digest,
        run_id=str(UUID(run)),
        decision_id=str(UUID(decision)),
        status=status,
        outcome_code=outcome,
        tool_version=version,
        started_at=moment(started),
        ended_at=moment(ended),
        output=output,
        error_text=error,
        code=code,
    )


def moment(text: str | None) -> datetime | None:
    """A time of either database, which both keep in UTC."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
