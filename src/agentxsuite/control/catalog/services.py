"""Writing the catalogue: connections by people, tools by sync, definitions by approval."""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack
from uuid import UUID

from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.catalog import sync, upstreams
from agentxsuite.control.catalog.credentials import check_credential
from agentxsuite.control.catalog.listing import Unacceptable, schema_of
from agentxsuite.control.catalog.models import Connection, SyncStatus, Tool
from agentxsuite.control.catalog.pinning import approve, withdraw
from agentxsuite.control.catalog.slugs import free_slug
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.control.tenancy.problems import Conflict, Fault, Invalid, NotFound
from agentxsuite.control.tenancy.saving import plain, save
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.schemas import SchemaRefused, inspect_schema
from agentxsuite.engines.upstream import UpstreamError, Upstreams, check_endpoint
from agentxsuite.wire import JSON

LIST_SECONDS = 30.0
ATTEMPTS = 3


class Access(TypedDict, total=False):
    """How a connection logs in, and when its definitions are compared."""

    auth_method: str
    auth_config: dict[str, JSON]
    secret_ref: str | None
    verify: str
    enabled: bool


class Changes(Access, total=False):
    """What can be changed of a connection; its slug and its environment cannot."""

    name: str
    endpoint: str


def create_connection(
    actor: Actor, environment: Environment, name: str, endpoint: str, **access: Unpack[Access]
) -> Connection:
    """Connect an MCP server; nothing is asked of it before the first sync.

    Raises Invalid, Conflict, SecretsUnavailable.
    """
    with changing(environment.organization_id):
        Environment.objects.select_for_update(no_key=True).get(id=environment.id)
        connection = Connection(
            organization_id=environment.organization_id,
            environment=environment,
            name=name,
            slug=free_slug(environment, name),
            endpoint=endpoint,
            **access,
        )
        _check(connection)
        save(connection)
        _record("connection_created", actor, connection, {"endpoint": endpoint, **access})
    return connection


def change_connection(
    actor: Actor, connection: Connection, **changes: Unpack[Changes]
) -> Connection:
    """Alter a connection; another `endpoint` sends all its tools to review.

    Raises Invalid, Conflict, NotFound, SecretsUnavailable.
    """
    with changing(connection.organization_id):
        current = _held(connection.id)
        differences = _set(current, changes)
        _check(current)
        save(current)
        if "endpoint" in differences:
            withdrawn = withdraw(current)
            differences["endpoint"]["sent_to_review"] = len(withdrawn)
        _record("connection_changed", actor, current, differences)
    return current


async def sync_connection(
    actor: Actor, connection: Connection, upstreams: Upstreams
) -> sync.SyncReport:
    """Compare the tools of a connection with what its server says now.

    Raises NotFound, SecretsUnavailable, UpstreamFailed, and Conflict while others keep changing the
    connection.
    """
    for _ in range(ATTEMPTS):
        plan = await in_thread(sync.begin, connection)
        try:
            found = await upstreams.list_tools(plan.endpoint, timeout=LIST_SECONDS)
            return await in_thread(sync.settle, actor, plan, found)
        except (UpstreamError, Unacceptable) as error:
            raise await in_thread(sync.fail, actor, plan, error) from None
        except sync.Superseded:
            continue
    raise Conflict("The connection keeps changing; try again.", code="sync_superseded")


def approve_tool(actor: Actor, tool: Tool, number: int | None = None) -> Tool:
    """Take the pending definition as what the tool is; `number` says which one was looked at.

    Raises NotFound, Conflict.
    """
    with changing(tool.organization_id):
        _held(tool.connection_id)
        current = Tool.objects.live().select_related("pending").filter(pk=tool.pk).first()
        if current is None:
            raise NotFound
        pending = _approvable(current, number)
        approve(current, pending, actor.user)
        pending.save()
        current.save()
        record(
            "tool_approved",
            actor=actor,
            organization=current.organization_id,
            environment=current.environment_id,
            action="tool.approve",
            target=f"tool:{current.name}",
            data={"definition": pending.number, "sha256": pending.sha256},
        )
    return current


def _approvable(tool: Tool, number: int | None) -> Any:
    pending = tool.pending
    if pending is None or tool.sync_status != SyncStatus.PENDING_REVIEW:
        raise Conflict("Nothing of this tool waits for approval.", code="nothing_pending")
    if tool.synced_at is None:
        raise Conflict("Sync the connection first: its endpoint changed.", code="not_synced")
    if number not in {None, pending.number}:
        raise Conflict("The definition changed since you looked.", code="definition_changed")
    try:
        inspect_schema(schema_of(pending.definition))
    except SchemaRefused as error:
        detail = f"Its schema cannot be checked: {error.detail}"
        raise Conflict(detail, code="schema_refused") from None
    return pending


def _held(connection_id: UUID) -> Connection:
    """The connection, which nobody else changes until the transaction ends."""
    row = Connection.objects.live().select_for_update(no_key=True).filter(id=connection_id).first()
    if row is None:
        raise NotFound
    return row


def _set(connection: Connection, changes: Mapping[str, Any]) -> dict[str, dict[str, JSON]]:
    """Set what differs; returns it as `{field: {"from": ..., "to": ...}}`."""
    before = {name: getattr(connection, name) for name in changes}
    for name, value in changes.items():
        setattr(connection, name, value)
    return {
        name: {"from": plain(before[name]), "to": plain(value)}
        for name, value in changes.items()
        if before[name] != value
    }


def _check(connection: Connection) -> None:
    """Refuse an address that could never be called, and a credential that could not be sent."""
    try:
        check_endpoint(connection.endpoint, upstreams.templates(), upstreams.egress())
    except UpstreamError as error:
        fault: Fault = {"path": "/endpoint", "message": error.detail}
        raise Invalid(error.detail, [fault], code=error.code) from None
    check_credential(connection)


def _record(event: Any, actor: Actor, connection: Connection, data: Any) -> None:
    record(
        event,
        actor=actor,
        organization=connection.organization_id,
        environment=connection.environment_id,
        action="connection.create" if event == "connection_created" else "connection.change",
        target=f"connection:{connection.slug}",
        data={"name": connection.name, "changes": data},
    )
