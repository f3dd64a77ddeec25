"""The lease of each process that runs tools: one heartbeat for all of its runs.

Both databases are asked in the same words, but for the few in ``Words``. Heartbeats are told and
judged by the database's clock; when a run began, by its worker's, so clocks agree within seconds.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from agentxsuite.gateway.ledger import columns
from agentxsuite.gateway.ledger.database import Database, Found, Value, Words, WriteFailed
from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.rows import LostRun, WorkerRow, stamp

LOST_AT_ONCE = 500
SWEPT_AT_ONCE = 1000
KEY_SECONDS = 24 * 3600.0

NAMES: Mapping[str, str] = {
    "runs": columns.RUN_TABLE,
    "workers": columns.WORKER_TABLE,
    "unfinished": columns.UNFINISHED,
    "columns": ", ".join(f"r.{name}" for name in LostRun.__struct_fields__),
}
BEAT = """
INSERT INTO {workers} (id, host, process, started_at, heartbeat_at)
VALUES ({mark}, {mark}, {mark}, {now}, {now})
ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at RETURNING id"""
CANCELLED = """
SELECT id FROM {runs}
WHERE worker_id = {mark} AND {unfinished} AND cancel_requested_at IS NOT NULL"""
LEAVE = "DELETE FROM {workers} WHERE id = {mark} RETURNING id"
LOST = """
SELECT {columns} FROM {runs} AS r LEFT JOIN {workers} AS w ON w.id = r.worker_id
WHERE r.{unfinished} AND (
  w.heartbeat_at < {ago} OR (w.id IS NULL AND r.started_at < {ago}) OR {due} < {now}
) ORDER BY r.id LIMIT {mark}"""
KEPT_FOR_A_DAY = (columns.KEY_TABLE, columns.ANSWER_TABLE)
SWEEP_KEYS = """
DELETE FROM {keys} WHERE id IN (
  SELECT id FROM {keys} WHERE created_at < {ago} ORDER BY created_at LIMIT {mark}
) RETURNING id"""
SWEEP_WORKERS = """
DELETE FROM {workers} AS w WHERE w.heartbeat_at < {ago}
AND NOT EXISTS (SELECT 1 FROM {runs} AS r WHERE r.worker_id = w.id AND r.{unfinished})
RETURNING id"""


class Leases:
    """Who lives, what they shall cancel, and what the dead have left; all raise Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        words = {name: getattr(database.words, name) for name in Words.__struct_fields__}
        self._words = {**NAMES, **words}

    async def beat(self, worker: WorkerRow) -> Sequence[str]:
        """Renew a lease; returns the worker's runs that somebody wishes to cancel."""
        await self._ask(BEAT, UUID(worker.id), worker.host, worker.process)
        return await self.cancelled(worker.id)

    async def cancelled(self, worker_id: str) -> Sequence[str]:
        """Ids of the worker's running runs that somebody wishes to cancel."""
        found = await self._ask(CANCELLED, UUID(worker_id))
        return [dashed(run_id) for (run_id,) in found]

    async def leave(self, worker_id: str) -> None:
        """End a lease in order."""
        await self._ask(LEAVE, UUID(worker_id))

    async def lost(self, lease_seconds: float, grace_seconds: float) -> Sequence[LostRun]:
        """Runs whose worker is dead or unknown, or that are overdue; the oldest first."""
        found = await self._ask(LOST, lease_seconds, lease_seconds, grace_seconds, LOST_AT_ONCE)
        return [lost_run(row) for row in found]

    async def sweep(self, lease_seconds: float) -> None:
        """Forget keys that are a day old, and dead workers that have left nothing."""
        for table in KEPT_FOR_A_DAY:
            statement = SWEEP_KEYS.replace("{keys}", table)
            while len(await self._ask(statement, KEY_SECONDS, SWEPT_AT_ONCE)) == SWEPT_AT_ONCE:
                pass
        await self._ask(SWEEP_WORKERS, lease_seconds)

    async def _ask(self, statement: str, *parameters: Value) -> Found:
        try:
            return await self._database.run(statement.format(**self._words), parameters)
        except WriteFailed as error:
            sentence = "The record cannot be reached: try again."
            raise Unavailable("ledger_unavailable", sentence) from error


def lost_run(row: Sequence[Any]) -> LostRun:
    """A row in the order of its columns; ids and times as the ledger's rows spell them."""
    return LostRun(
        **{
            name: dashed(value) if columns.RUN.get(name) == "uuid" else timed(value)
            for name, value in zip(LostRun.__struct_fields__, row, strict=True)
        }
    )


def dashed(value: UUID | str | None) -> Any:
    """An id as text; Django keeps UUIDs on SQLite without dashes."""
    return value and str(UUID(str(value)))


def timed(value: Any) -> Any:
    """A moment as text, and everything else as it is."""
    return stamp(value) if isinstance(value, datetime) else value
