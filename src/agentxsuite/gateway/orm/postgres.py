"""Fresh facts from PostgreSQL: one query answers all who wait, begun after they arrived.

It sees the organizations of those who ask, and no other (`control.tenancy.scope`).
"""

import asyncio
from collections.abc import Iterable, Sequence

import psycopg

from agentxsuite.control.tenancy.scope import LIST
from agentxsuite.gateway.gate import Question
from agentxsuite.gateway.orm.line import Line, LineLost, Rows, array_of
from agentxsuite.gateway.orm.reading import ReadFailed, Reading

READ_SECONDS = 3.0  # for an answer, a new connection included: a frozen database is down
MOST = 500  # questions in one query
STATEMENTS = {
    "scope": f"SELECT set_config('{LIST}', $1, true)",
    "fresh": """
SELECT 'r', environment_id::text, organization_id::text, value FROM tenancy_revision
WHERE environment_id = ANY($1::uuid[])
UNION ALL SELECT 't', jti, NULL, NULL FROM agents_issuedtoken
WHERE jti = ANY($2) AND revoked_at IS NULL
UNION ALL SELECT 'l', digest, user_id::text, NULL FROM knox_authtoken
WHERE digest = ANY($3) AND (expiry IS NULL OR expiry > now())
""",
    "environments": """
SELECT id FROM tenancy_environment
WHERE organization_id = $1::uuid AND deleted_at IS NULL AND (id::text = $2 OR name = $3)
UNION SELECT environment_id FROM agents_agent
WHERE organization_id = $1::uuid AND deleted_at IS NULL AND (id::text = $2 OR lower(slug) = $2)
""",
}

Waiting = tuple[Question, "asyncio.Future[Reading]"]


class PostgresReader:
    """Reads over one connection, opened again when it breaks."""

    def __init__(self, conninfo: str, patience: float = READ_SECONDS) -> None:
        self._conninfo = conninfo
        self._patience = patience
        self._line: Line | None = None
        self._lock = asyncio.Lock()
        self._waiting: list[Waiting] = []
        self._worker: asyncio.Task[None] | None = None

    async def read(self, question: Question) -> Reading:
        """Answer one question, together with all others that wait; raises ReadFailed."""
        answer: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._drain())
        return await answer

    async def environments(self, organization: str, reference: str) -> Sequence[str]:
        """Ids of live environments by their id or name, or by an agent's id or slug."""
        values = organization, reference.lower(), reference
        rows = await self._ask([organization], "environments", values)
        return [str(row[0]) for row in rows]

    async def aclose(self) -> None:
        """Close the connection."""
        if self._worker is not None:
            await self._worker
        if self._line is not None:
            self._line.close()

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                readings = await self._read([question for question, _ in batch])
            except ReadFailed as failure:
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(failure)
                continue
            for (_, answer), reading in zip(batch, readings, strict=True):
                if not answer.done():
                    answer.set_result(reading)

    async def _read(self, questions: Sequence[Question]) -> list[Reading]:
        keys = (
            array_of({q.environment for q in questions if q.environment}),
            array_of({q.token_id for q in questions if q.token_id}),
            array_of({q.login_digest for q in questions if q.login_digest}),
        )
        rows = await self._ask({q.organization for q in questions}, "fresh", keys)
        return readings_of(questions, rows)

    async def _ask(self, organizations: Iterable[str], name: str, values: Sequence[str]) -> Rows:
        """One round trip; raises ReadFailed."""
        questions = ("scope", [",".join(organizations)]), (name, values)
        try:
            async with asyncio.timeout(self._patience), self._lock:
                try:
                    return await (await self._open()).ask(*questions)
                except LineLost:  # perhaps by a restart that is over: a new one tells
                    return await (await self._open()).ask(*questions)
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise ReadFailed(str(error)) from error

    async def _open(self) -> Line:
        if self._line is None or self._line.closed:
            self._line = await Line.open(self._conninfo, STATEMENTS)
        return self._line


def readings_of(questions: Iterable[Question], rows: Rows) -> list[Reading]:
    """Each question's part of the answer."""
    revisions = {(row[1], row[2]): int(row[3] or 0) for row in rows if row[0] == "r"}
    tokens = {row[1] for row in rows if row[0] == "t"}
    logins = {row[1]: row[2] for row in rows if row[0] == "l"}
    return [
        Reading(
            revisions.get((q.environment, q.organization)),
            q.token_id in tokens,
            logins.get(q.login_digest),
        )
        for q in questions
    ]
