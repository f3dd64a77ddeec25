"""Builds a snapshot: every fact of one environment, read in one repeatable read.

Runs in a thread, never on the loop. What has not changed since the snapshot before (compiled rules,
compiled schemas) is taken over from it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from django.db import connection as database
from django.db import transaction

from agentxsuite.control.agents.models import Agent as AgentRow
from agentxsuite.control.catalog.endpoints import endpoint_of
from agentxsuite.control.catalog.mcp_names import mcp_name
from agentxsuite.control.catalog.models import Connection as ConnectionRow
from agentxsuite.control.catalog.models import Tool as ToolRow
from agentxsuite.control.policies.compile import policies_of
from agentxsuite.control.secretstore.services import Revealed, SecretUnreadable, reveal_many
from agentxsuite.control.tenancy.models import Environment, OrganizationMembership, Revision
from agentxsuite.engines.pdp import PolicyInvalid, PolicySet
from agentxsuite.engines.schemas import Schema, SchemaRefused
from agentxsuite.gateway.facts import Agent, Connection, Member, Snapshot, Tool

log = logging.getLogger(__name__)


def load_snapshot(environment_id: str, previous: Snapshot | None) -> Snapshot | None:
    """Read one environment; None when it, or its organization, has been deleted."""
    database.close_if_unusable_or_obsolete()
    with repeatable_read():
        environment = Environment.objects.filter(
            id=environment_id, deleted_at=None, organization__deleted_at=None
        ).first()
        if environment is None:
            return None
        revision = Revision.objects.values_list("value", flat=True).get(environment=environment)
        tools = {tool.id: tool for tool in tools_of(environment, previous)}
        return Snapshot(
            organization=str(environment.organization_id),
            environment=str(environment.id),
            revision=revision,
            attributes={
                "id": str(environment.id),
                "name": environment.name,
                "type": environment.type,
            },
            policies=compiled(environment, previous),
            agents={agent.id: agent for agent in agents_of(environment)},
            members={member.user: member for member in members_of(environment)},
            tools=tools,
            by_name={tool.name: tool for tool in tools.values()},
            by_mcp_name={tool.mcp_name: tool for tool in tools.values()},
            by_upstream={(t.connection.slug, t.upstream_name): t for t in tools.values()},
        )


@contextmanager
def repeatable_read() -> Iterator[None]:
    """One view of the database for several queries."""
    if database.vendor == "postgresql":
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
        return
    # On SQLite ``atomic`` would take the write lock; a deferred transaction reads beside writers.
    with database.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("COMMIT")


def compiled(environment: Environment, previous: Snapshot | None) -> PolicySet | None:
    """The policies, or None when one of them cannot be read: then nothing is allowed."""
    try:
        return PolicySet.compile(
            policies_of(environment),
            str(environment.organization_id),
            str(environment.id),
            previous.policies if previous else None,
        )
    except PolicyInvalid:
        log.exception("policies of environment %s cannot be read", environment.id)
        return None


def agents_of(environment: Environment) -> Iterator[Agent]:
    """The environment's live agents; one whose service account is disabled is disabled."""
    rows = AgentRow.objects.filter(environment=environment, deleted_at=None)
    for row in rows.select_related("service_account"):
        account = row.service_account
        standing = account is None or (account.enabled and account.deleted_at is None)
        yield Agent(
            id=str(row.id),
            name=row.name,
            slug=row.slug.lower(),
            mode=row.mode,
            enabled=row.enabled and standing,
            connection=str(row.connection_id) if row.connection_id else None,
            attributes={
                "kind": "agent",
                "id": str(row.id),
                "name": row.name,
                "slug": row.slug,
                "mode": row.mode,
                "tags": row.tags,
                "capabilities": row.capabilities,
            },
        )


def members_of(environment: Environment) -> Iterator[Member]:
    """The organization's active members."""
    rows = OrganizationMembership.objects.filter(
        organization=environment.organization_id, is_active=True, user__is_active=True
    )
    for user, email, role in rows.values_list("user_id", "user__email", "role"):
        yield Member(str(user), email, role)


def tools_of(environment: Environment, previous: Snapshot | None) -> Iterator[Tool]:
    """The live tools of the environment's live connections."""
    connections = {row.id: row for row in connections_of(environment)}
    rows = ToolRow.objects.filter(environment=environment, deleted_at=None)
    for row in rows.select_related("definition"):
        connection = connections.get(str(row.connection_id))
        if connection is not None:
            yield tool_of(row, connection, previous.tools if previous else {})


def connections_of(environment: Environment) -> Iterable[Connection]:
    """The live connections with their credentials, all read at once."""
    rows = list(ConnectionRow.objects.filter(environment=environment, deleted_at=None))
    refs = [row.secret_ref for row in rows if row.secret_ref]
    revealed = reveal_many(environment.organization_id, environment.id, refs)
    return [connection_of(row, revealed) for row in rows]


def connection_of(row: ConnectionRow, revealed: Mapping[str, Revealed]) -> Connection:
    """One connection; without its credential it has no endpoint."""
    secret = revealed.get(row.secret_ref or "")
    try:
        endpoint = endpoint_of(row, revealed)
    except SecretUnreadable:
        log.exception("the credential of connection %s cannot be read", row.id)
        endpoint = None
    version = secret.version if secret else None
    return Connection(str(row.id), row.slug, row.enabled, endpoint, version)


def tool_of(row: ToolRow, connection: Connection, previous: Mapping[str, Tool]) -> Tool:
    """One tool under its approved definition."""
    definition = row.definition.definition if row.definition else {}
    return Tool(
        id=str(row.id),
        name=row.name,
        upstream_name=row.upstream_name,
        mcp_name=mcp_name(connection.slug, row.upstream_name),
        version=row.version,
        enabled=row.enabled,
        sync_status=row.sync_status,
        connection=connection,
        definition=definition,
        schema=schema_of(row, previous.get(str(row.id))),
        attributes={
            "id": str(row.id),
            "name": row.name,
            "upstream_name": row.upstream_name,
            "version": row.version,
            "connection": connection.slug,
            "annotations": definition.get("annotations") or {},
        },
    )


def schema_of(row: ToolRow, before: Tool | None) -> Schema | None:
    """The compiled schema of the approved definition; None when there is none to go by."""
    if row.definition is None:
        return None
    if before is not None and before.version == row.version and before.schema is not None:
        return before.schema
    try:
        return Schema.compile(row.schema_json)
    except SchemaRefused:
        log.exception("the schema of tool %s is refused", row.id)
        return None
