"""Fresh facts from PostgreSQL: one query answers all who wait, begun after they arrived.

It sees the organizations of those who ask, and no other (`control.tenancy.scope`).
"""

import asyncio
from collections.abc import Iterable, Sequence

from agentxsuite.gateway.facts import Proof
from agentxsuite.gateway.gate import Question
from agentxsuite.gateway.orm.hotline import READ_SECONDS, Hotline
from agentxsuite.gateway.orm.line import Rows, array_of
from agentxsuite.gateway.orm.reading import ReadFailed, Reading

MOST = 500  # questions in one query
STATEMENTS = {
    "fresh": """
SELECT 'r', environment_id::text, organization_id::text, value FROM tenancy_revision
WHERE environment_id = ANY($1::uuid[])
UNION ALL SELECT 't', jti, NULL, NULL FROM agents_issuedtoken
WHERE jti = ANY($2) AND revoked_at IS NULL
UNION ALL SELECT 'l', digest, user_id::text, NULL FROM knox_authtoken
WHERE digest = ANY($3) AND (expiry IS NULL OR expiry > now())
""",
    "homes": """
SELECT agent.environment_id FROM agents_agent AS agent
JOIN tenancy_environment AS home ON home.id = agent.environment_id AND home.deleted_at IS NULL
JOIN agents_serviceaccount AS account ON account.id = agent.service_account_id
WHERE agent.organization_id = $1::uuid AND agent.deleted_at IS NULL
AND account.deleted_at IS NULL AND account.issuer = $2 AND account.subject = $3
UNION SELECT agent.environment_id FROM secretstore_secretversion AS version
JOIN secretstore_secret AS secret ON secret.id = version.secret_id
JOIN agents_agent AS agent ON secret.ref IN (agent.inbound_secret_ref, agent.mtls_cert_ref)
JOIN tenancy_environment AS home ON home.id = agent.environment_id AND home.deleted_at IS NULL
WHERE agent.organization_id = $1::uuid AND agent.deleted_at IS NULL
AND version.organization_id = $1::uuid AND version.fingerprint = $2
AND version.number = (SELECT max(number) FROM secretstore_secretversion
                      WHERE secret_id = version.secret_id)
""",
    "environments": """
SELECT id FROM tenancy_environment
WHERE organization_id = $1::uuid AND deleted_at IS NULL AND (id::text = lower($2) OR name = $2)
UNION SELECT agent.environment_id FROM agents_agent AS agent
JOIN tenancy_environment AS home ON home.id = agent.environment_id AND home.deleted_at IS NULL
WHERE agent.organization_id = $1::uuid AND agent.deleted_at IS NULL
AND (agent.id::text = $3 OR lower(agent.slug) = $3)
""",
}

Waiting = tuple[Question, "asyncio.Future[Reading]"]


class PostgresReader:
    """Reads over one connection, opened again when it breaks."""

    def __init__(self, conninfo: str, patience: float = READ_SECONDS) -> None:
        self._hotline = Hotline(conninfo, STATEMENTS, patience)
        self._waiting: list[Waiting] = []
        self._worker: asyncio.Task[None] | None = None

    async def read(self, question: Question) -> Reading:
        """Answer one question, together with all others that wait; raises ReadFailed."""
        answer: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._drain())
        return await answer

    async def environments(
        self, organization: str, name: str | None, agent: str | None
    ) -> Sequence[str]:
        """Ids of live environments by their id or name, or by an agent's id or slug."""
        values = organization, name or "", (agent or "").lower()
        rows = await self._hotline.ask([organization], "environments", values)
        return [str(row[0]) for row in rows]

    async def homes(self, organization: str, proof: Proof) -> Sequence[str]:
        """Ids of the environments with an agent that the proof may be of."""
        values = organization, proof.says, proof.more
        rows = await self._hotline.ask([organization], "homes", values)
        return [str(row[0]) for row in rows]

    async def aclose(self) -> None:
        """Close the connection."""
        if self._worker is not None:
            await self._worker
        self._hotline.close()

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
        rows = await self._hotline.ask({q.organization for q in questions}, "fresh", keys)
        return readings_of(questions, rows)


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
