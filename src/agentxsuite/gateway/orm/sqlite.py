"""Fresh facts from SQLite: a read of a few pages in memory, so it is done on the loop itself."""

import asyncio
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from agentxsuite.gateway.facts import Proof
from agentxsuite.gateway.gate import Question
from agentxsuite.gateway.orm.file import ReadOnlyFile
from agentxsuite.gateway.orm.reading import ReadFailed, Reading

FRESH = """
SELECT (SELECT value FROM tenancy_revision WHERE environment_id = ? AND organization_id = ?),
EXISTS (SELECT 1 FROM agents_issuedtoken WHERE jti = ? AND revoked_at IS NULL),
(SELECT user_id FROM knox_authtoken WHERE digest = ? AND (expiry IS NULL OR expiry > ?))
"""
ENVIRONMENTS = """
SELECT id FROM tenancy_environment
WHERE organization_id = :organization AND deleted_at IS NULL AND (id = :id OR name = :name)
UNION SELECT agent.environment_id FROM agents_agent AS agent
JOIN tenancy_environment AS home ON home.id = agent.environment_id AND home.deleted_at IS NULL
WHERE agent.organization_id = :organization AND agent.deleted_at IS NULL
AND (agent.id = :agent OR lower(agent.slug) = :slug)
"""
HOMES = """
SELECT agent.environment_id FROM agents_agent AS agent
JOIN tenancy_environment AS home ON home.id = agent.environment_id AND home.deleted_at IS NULL
JOIN agents_serviceaccount AS account ON account.id = agent.service_account_id
WHERE agent.organization_id = :organization AND agent.deleted_at IS NULL
AND account.deleted_at IS NULL AND account.issuer = :says AND account.subject = :more
UNION SELECT agent.environment_id FROM secretstore_secretversion AS version
JOIN secretstore_secret AS secret ON secret.id = version.secret_id
JOIN agents_agent AS agent ON secret.ref IN (agent.inbound_secret_ref, agent.mtls_cert_ref)
JOIN tenancy_environment AS home ON home.id = agent.environment_id AND home.deleted_at IS NULL
WHERE agent.organization_id = :organization AND agent.deleted_at IS NULL
AND version.organization_id = :organization AND version.fingerprint = :says
AND version.number = (SELECT max(number) FROM secretstore_secretversion
                      WHERE secret_id = version.secret_id)
"""


def compact(identifier: str | None) -> str | None:
    """A UUID as Django keeps it on SQLite."""
    return None if identifier is None else identifier.replace("-", "")


class SqliteReader:
    """Reads one database file over a connection that cannot write.

    Whoever asks within one turn of the loop is answered by one transaction at its end.
    """

    def __init__(self, path: str) -> None:
        self._file = ReadOnlyFile(path)
        self._waiting: list[tuple[Question, asyncio.Future[Reading]]] = []

    async def read(self, question: Question) -> Reading:
        """Answer one question, together with all others of this turn; raises ReadFailed."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._answer)
        answer: asyncio.Future[Reading] = loop.create_future()
        self._waiting.append((question, answer))
        return await answer

    async def environments(
        self, organization: str, name: str | None, agent: str | None
    ) -> Sequence[str]:
        """Ids of live environments by their id or name, or by an agent's id or slug."""
        slug = agent and agent.lower()
        values = {
            "organization": compact(organization),
            "id": name and compact(name.lower()),
            "name": name,
            "agent": slug and compact(slug),
            "slug": slug,
        }
        return self._ids(ENVIRONMENTS, values)

    async def homes(self, organization: str, proof: Proof) -> Sequence[str]:
        """Ids of the environments with an agent that the proof may be of."""
        values = {"organization": compact(organization), "says": proof.says, "more": proof.more}
        return self._ids(HOMES, values)

    async def aclose(self) -> None:
        """Close the connection."""
        self._file.close()

    def _ids(self, query: str, values: Mapping[str, str | None]) -> list[str]:
        try:
            rows = self._file.open().execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise ReadFailed(str(error)) from error
        return [str(UUID(row[0])) for row in rows]

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            readings = self._read({question for question, _ in waiting})
        except sqlite3.Error as error:
            failure = ReadFailed(str(error))
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(failure)
            return
        for question, answer in waiting:
            if not answer.done():
                answer.set_result(readings[question])

    def _read(self, questions: Collection[Question]) -> dict[Question, Reading]:
        connection = self._file.open()
        connection.execute("BEGIN")
        try:
            return {question: read_one(connection, question) for question in questions}
        finally:
            connection.execute("COMMIT")


def read_one(connection: sqlite3.Connection, question: Question) -> Reading:
    """Answer one question within a transaction."""
    values = (
        compact(question.environment),
        compact(question.organization),
        question.token_id,
        question.login_digest,
        question.login_digest and datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    )
    revision, live, user = connection.execute(FRESH, values).fetchone()
    return Reading(revision, live == 1, str(UUID(user)) if user else None)
