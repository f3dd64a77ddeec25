"""The ledger on PostgreSQL: a batch is one statement, one round trip, one fsync."""

from collections.abc import Collection, Iterable, Sequence

import orjson

from agentxsuite.gateway.ledger.batch import Batch
from agentxsuite.gateway.ledger.database import Found, Value, Words
from agentxsuite.gateway.ledger.line import ANSWER_SECONDS, Line
from agentxsuite.gateway.ledger.postgres_statements import recognising, writing
from agentxsuite.gateway.rows import Row

WORDS = Words(
    mark="%s",
    now="now()",
    ago="now() - make_interval(secs => %s)",
    due="r.started_at + make_interval(secs => r.timeout_seconds + %s)",
)


class PostgresWriter:
    """Writes batches over one connection; leases are kept over another, past all batches."""

    words = WORDS

    def __init__(self, conninfo: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._batches, self._leases = (Line(conninfo, answer_seconds) for _ in range(2))
        self._plain, self._keyed = writing(keyed=False), writing(keyed=True)
        self._recognise = recognising()

    async def write(self, batch: Batch) -> Collection[str]:
        """Write all or nothing, durable when it returns; returns the runs left out."""
        rows = [packed(kind) for kind in (batch.ends, batch.runs, batch.steps, batch.events)]
        if batch.keys or batch.released:
            parameters = [packed(batch.keys), *rows, batch.released]
            skipped = await self._batches.execute(self._keyed, parameters)
        else:
            skipped = await self._batches.execute(self._plain, rows)
        return await self._unknown(batch, skipped) if skipped else ()

    async def run(self, statement: str, parameters: Sequence[Value]) -> Found:
        """Run one statement about leases."""
        return await self._leases.execute(statement, parameters)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._batches.aclose()
        await self._leases.aclose()

    async def _unknown(self, batch: Batch, skipped: Found) -> set[str]:
        """Those of the skipped runs whose end is not on record; read anew, past all waiting."""
        left = {str(run_id) for (run_id,) in skipped}
        ends = [end for end in batch.ends if end["id"] in left]
        known = await self._batches.execute(self._recognise, [packed(ends)])
        return left - {str(run_id) for (run_id,) in known}


def packed(rows: Iterable[Row]) -> str:
    """Rows as one JSON array."""
    return orjson.dumps(rows).decode()
