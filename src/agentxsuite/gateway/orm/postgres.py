"""Fresh facts from PostgreSQL: one query answers all who wait, begun after they arrived."""

import asyncio
from collections.abc import Mapping, Sequence

import psycopg

from agentxsuite.gateway.gate import Question
from agentxsuite.gateway.orm.reading import ReadFailed, Reading

FRESH = """
SELECT 'r', environment_id::text, organization_id::text, value FROM tenancy_revision
WHERE environment_id = ANY(%s::uuid[])
UNION ALL SELECT 't', jti, NULL, NULL FROM agents_issuedtoken
WHERE jti = ANY(%s) AND revoked_at IS NULL
UNION ALL SELECT 'l', digest, user_id::text, NULL FROM knox_authtoken
WHERE digest = ANY(%s) AND (expiry IS NULL OR expiry > now())
"""
ENVIRONMENTS = """
SELECT id::text FROM tenancy_environment
WHERE organization_id = %(organization)s::uuid AND deleted_at IS NULL
AND (id::text = %(id)s OR name = %(name)s)
UNION SELECT environment_id::text FROM agents_agent
WHERE organization_id = %(organization)s::uuid AND deleted_at IS NULL
AND (id::text = %(id)s OR lower(slug) = %(id)s)
"""

Waiting = tuple[Question, "asyncio.Future[Reading]"]


class PostgresReader:
    """Reads over one connection, opened again when it breaks."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.AsyncConnection | None = None
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
        values = {"organization": organization, "id": reference.lower(), "name": reference}
        try:
            return [row[0] for row in await self._fetch(ENVIRONMENTS, values)]
        except (psycopg.Error, OSError) as error:
            raise ReadFailed(str(error)) from error

    async def aclose(self) -> None:
        """Close the connection."""
        if self._worker is not None:
            await self._worker
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                readings = await self._read(batch)
            except (psycopg.Error, OSError) as error:
                failure = ReadFailed(str(error))
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(failure)
                continue
            for (_, answer), reading in zip(batch, readings, strict=True):
                if not answer.done():
                    answer.set_result(reading)

    async def _read(self, batch: Sequence[Waiting]) -> list[Reading]:
        questions = [question for question, _ in batch]
        keys = (
            list({q.environment for q in questions if q.environment}),
            list({q.token_id for q in questions if q.token_id}),
            list({q.login_digest for q in questions if q.login_digest}),
        )
        revisions: dict[tuple[str, str], int] = {}
        tokens: set[str] = set()
        logins: dict[str, str] = {}
        for kind, key, extra, value in await self._fetch(FRESH, keys):
            if kind == "r":
                revisions[key, extra] = value
            elif kind == "t":
                tokens.add(key)
            else:
                logins[key] = extra
        return [
            Reading(
                revisions.get((q.environment or "", q.organization)),
                q.token_id in tokens,
                logins.get(q.login_digest or ""),
            )
            for q in questions
        ]

    async def _fetch(
        self, query: str, values: Sequence[object] | Mapping[str, object]
    ) -> list[tuple[str, str, str, int]]:
        async with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._conninfo, autocommit=True
                )
            cursor = await self._connection.execute(query, values, prepare=True)
            return await cursor.fetchall()
