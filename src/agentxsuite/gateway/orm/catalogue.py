"""What can be called: an environment's connections, with their credentials, and their tools."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.db.models import Prefetch, Q, QuerySet

from agentxsuite.control.catalog.accounts import connect_url
from agentxsuite.control.catalog.endpoints import endpoint_of, is_personal, personal_endpoint
from agentxsuite.control.catalog.models import Account, Verify
from agentxsuite.control.catalog.models import Connection as ConnectionRow
from agentxsuite.control.catalog.models import Tool as ToolRow
from agentxsuite.control.policies.facts import tool_root
from agentxsuite.control.secretstore.models import Secret
from agentxsuite.control.secretstore.services import Revealed, SecretUnreadable, reveal_many
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines.schemas import Schema, SchemaRefused
from agentxsuite.engines.upstream import Endpoint, mcp_name, mirrors
from agentxsuite.gateway.facts import Connection, Snapshot, Tool
from agentxsuite.gateway.orm.view import Changes, merged

log = logging.getLogger(__name__)

Connections = Mapping[str, Connection]


def connections_of(
    environment: Environment, previous: Snapshot | None, changes: Changes
) -> Connections:
    """The live connections by id; one whose credential could not be read is tried again."""
    rows = ConnectionRow.objects.filter(environment=environment, deleted_at=None)
    if previous is None:
        return read_connections(environment, rows)
    known = previous.connections
    touched = {*changes["connection"], *(c.id for c in known.values() if is_closed(c))}
    if not changes["data_key"]:
        if not touched and not changes["secret"]:
            return known
        secrets = Secret.objects.filter(id__in=changes["secret"])
        rows = rows.filter(Q(id__in=touched) | Q(secret_ref__in=secrets.values("ref")))
    read = read_connections(environment, rows)
    same = {
        identifier: known[identifier]
        for identifier in read
        if known.get(identifier) == read[identifier]
    }
    return merged(known, touched, read | same)


def is_closed(connection: Connection) -> bool:
    """Whether its credential could not be read; where people have their own, no one is needed."""
    return connection.endpoint is None and not connection.connect_at


def read_connections(
    environment: Environment, query: "QuerySet[ConnectionRow]"
) -> dict[str, Connection]:
    """The connections of a query, with their credentials, all read at once."""
    accounts = Prefetch("accounts", Account.objects.defer("sealed"))
    rows = list(query.prefetch_related(accounts))
    refs = [row.secret_ref for row in rows if row.secret_ref]
    revealed = reveal_many(environment.organization_id, environment.id, refs)
    return {str(row.id): connection_of(row, revealed) for row in rows}


def connection_of(row: ConnectionRow, revealed: Mapping[str, Revealed]) -> Connection:
    """One connection; without its credential it has no endpoint."""
    secret = revealed.get(row.secret_ref or "")
    endpoint, accounts, connect_at = None, {}, ""
    try:
        if is_personal(row):
            accounts, connect_at = accounts_of(row, revealed), connect_url(row)
        else:
            endpoint = endpoint_of(row, revealed)
    except SecretUnreadable:
        log.exception("the credential of connection %s cannot be read", row.id)
    return Connection(
        id=str(row.id),
        slug=row.slug,
        enabled=row.enabled,
        endpoint=endpoint,
        secret_version=secret.version if secret else None,
        place=(str(row.organization_id), str(row.environment_id)),
        each_call=row.verify == Verify.EACH_CALL,
        connect_at=connect_at,
        accounts=accounts,
    )


def accounts_of(row: ConnectionRow, revealed: Mapping[str, Revealed]) -> dict[str, Endpoint]:
    """Where it leads with the account of each person who has connected one."""
    return {
        str(each.user_id): personal_endpoint(row, revealed, each) for each in row.accounts.all()
    }


def tools_of(
    environment: Environment,
    connections: Connections,
    previous: Snapshot | None,
    changes: Changes,
) -> Mapping[str, Tool]:
    """The live tools of the live connections, by id."""
    rows = ToolRow.objects.filter(environment=environment, deleted_at=None)
    if previous is None:
        return read_tools(rows, connections, {})
    touched = changes["tool"]
    if not touched and connections is previous.connections:
        return previous.tools
    new = [each.id for each in connections.values() if is_new(each, previous.connections)]
    read = read_tools(
        rows.filter(Q(id__in=touched) | Q(connection_id__in=new)), connections, previous.tools
    )
    return merged(dict(connected(previous.tools.values(), connections)), touched, read)


def is_new(connection: Connection, known: Connections) -> bool:
    """Whether tools have to be read for the first time under a connection of this name."""
    before = known.get(connection.id)
    return before is None or before.slug != connection.slug


def connected(tools: Iterable[Tool], connections: Connections) -> Iterable[tuple[str, Tool]]:
    """Tools with the connections that they have now; without one a tool is gone."""
    for tool in tools:
        connection = connections.get(tool.connection.id)
        if connection is tool.connection:
            yield tool.id, tool
        elif connection is not None:
            yield tool.id, replace(tool, connection=connection)


def read_tools(
    rows: "QuerySet[ToolRow]", connections: Connections, known: Mapping[str, Tool]
) -> dict[str, Tool]:
    """The tools of a query that have a connection."""
    read: dict[str, Tool] = {}
    for row in rows.select_related("definition"):
        connection = connections.get(str(row.connection_id))
        if connection is not None:
            tool = tool_of(row, connection, known.get(str(row.id)))
            read[tool.id] = tool
    return read


def tool_of(row: ToolRow, connection: Connection, before: Tool | None) -> Tool:
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
        schema=schema_of(row, before.schema if before else None),
        attributes=tool_root(row, connection.slug),
        mirrors=mirrors.find(definition.get("inputSchema")),
    )


def schema_of(row: ToolRow, before: Schema | None) -> Schema | None:
    """The compiled schema of the approved definition; None when there is none to go by."""
    if row.definition is None:
        return None
    if before is not None and before.source == row.schema_json:
        return before
    try:
        return Schema.compile(row.schema_json)
    except SchemaRefused:
        log.exception("the schema of tool %s is refused", row.id)
        return None
