"""Writing the catalogue: connections by people, tools by sync, definitions by approval."""

from collections.abc import Collection
from typing import Any, Final, TypedDict, Unpack

from django.utils import timezone

from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record_change
from agentxsuite.control.catalog import sync, upstreams
from agentxsuite.control.catalog.accounts import drop_all
from agentxsuite.control.catalog.asking import asked
from agentxsuite.control.catalog.credentials import check_credential
from agentxsuite.control.catalog.models import Connection, ConnectionStatus, Tool
from agentxsuite.control.catalog.pinning import withdraw
from agentxsuite.control.catalog.reviewing import approve_tool
from agentxsuite.control.catalog.slugs import free_slug
from agentxsuite.control.problems import Fault, Invalid
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.control.tenancy.saving import alter, held, save
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.upstream import UpstreamError, Upstreams, check_endpoint
from agentxsuite.wire import JSON

__all__ = [
    "approve_tool",
    "change_connection",
    "create_connection",
    "delete_connection",
    "sync_connection",
]

# What decides where a call goes and what it shows there.
LOGIN: Final = frozenset({"endpoint", "auth_method", "auth_config", "secret_ref"})


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
        held(Environment.objects.live(), environment.id)  # so that a free slug stays free
        connection = Connection(
            organization_id=environment.organization_id,
            environment=environment,
            name=name,
            slug=free_slug(environment, name),
            endpoint=endpoint,
            **access,
        )
        _check(connection, LOGIN)
        save(connection)
        facts = {"endpoint": endpoint, **access}
        _record("connection_created", actor, connection, {"changes": facts})
    return connection


def change_connection(
    actor: Actor, connection: Connection, **changes: Unpack[Changes]
) -> Connection:
    """Alter a connection; another `endpoint` sends all its tools to review.

    Raises Invalid, Conflict, NotFound, SecretsUnavailable.
    """
    with changing(connection.organization_id):
        current = held(Connection.objects.live(), connection.id)
        differences: dict[str, Any] = alter(current, changes)
        if not differences:
            return current
        _check(current, differences.keys())
        if LOGIN & differences.keys():
            _unknown(current)
            differences |= _without_accounts(current)
        save(current)
        if "endpoint" in differences:
            differences["endpoint"]["sent_to_review"] = len(withdraw(current))
        _record("connection_changed", actor, current, {"changes": differences})
        if differences.keys() & {*LOGIN, "enabled"}:
            upstreams.let_go(current.id)
    return current


def delete_connection(actor: Actor, connection: Connection) -> None:
    """Delete a connection softly, and its tools with it; its process or its sockets are let go.

    Raises NotFound when somebody else was first.
    """
    with changing(connection.organization_id):
        current = held(Connection.objects.live(), connection.id)
        current.deleted_at = timezone.now()
        current.save(update_fields=["deleted_at"])
        tools = Tool.objects.live().filter(connection=current)
        gone = tools.update(deleted_at=current.deleted_at)
        accounts = drop_all(current)
        _record("connection_deleted", actor, current, {"tools": gone, "accounts": accounts})
        upstreams.let_go(current.id)


async def sync_connection(
    actor: Actor, connection: Connection, upstreams: Upstreams
) -> sync.SyncReport:
    """Compare the tools of a connection with what its server says now.

    Raises NotFound, SecretsUnavailable, UpstreamFailed, and Conflict while others keep changing the
    connection.
    """
    return await asked(actor, connection, upstreams, sync.settle)


def _unknown(connection: Connection) -> None:
    """What the last test found was true of another address or credential."""
    connection.status, connection.status_reason = ConnectionStatus.UNKNOWN, ""
    connection.server_info = {}


def _without_accounts(connection: Connection) -> dict[str, Any]:
    """What people lent was for the server that it was before."""
    gone = drop_all(connection)
    return {"accounts": {"dropped": gone}} if gone else {}


def _check(connection: Connection, changed: Collection[str]) -> None:
    """Refuse an address that could never be called, and a credential that could not be sent."""
    if "endpoint" in changed:
        _check_endpoint(connection.endpoint)
    if not LOGIN.isdisjoint(changed):
        check_credential(connection)


def _check_endpoint(endpoint: str) -> None:
    try:
        check_endpoint(endpoint, upstreams.templates(), upstreams.egress())
    except UpstreamError as error:
        fault: Fault = {"path": "/endpoint", "message": error.detail}
        raise Invalid(error.detail, [fault], code=error.code) from None


def _record(event: EventType, actor: Actor, connection: Connection, data: dict[str, JSON]) -> None:
    record_change(event, actor, connection, connection.slug, {"name": connection.name, **data})
