"""Tools by name: taking up one that a server offers, switching it on and off, deleting it.

What a tool is comes from its server alone; see `pinning`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.utils import timezone

from agentxsuite.control.audit.services import Actor, record_change
from agentxsuite.control.catalog import sync
from agentxsuite.control.catalog.asking import asked
from agentxsuite.control.catalog.listing import Offer, Unacceptable, offer
from agentxsuite.control.catalog.models import Connection, Tool
from agentxsuite.control.catalog.pinning import Pinned, pin
from agentxsuite.control.problems import Conflict, NotFound
from agentxsuite.control.tenancy.saving import alter, held, save
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.upstream import Upstreams
from agentxsuite.wire import JSON


async def take_up(
    actor: Actor, connection: Connection, upstream_name: str, upstreams: Upstreams
) -> Tool:
    """Ask a connection's server for one tool by its name, and make its row or bring it back.

    A new definition waits for review as after a sync, unless the connection has never been synced.
    Raises NotFound, SecretsUnavailable, UpstreamFailed, and Conflict for a tool that is there
    already, that the server does not offer, or that cannot be taken in.
    """
    return await asked(actor, connection, upstreams, partial(_take, upstream_name=upstream_name))


def change_tool(actor: Actor, tool: Tool, *, enabled: bool) -> Tool:
    """Switch a tool on or off, all that a person changes of it; raises NotFound."""
    with changing(tool.organization_id):
        current = _held(tool)
        differences = alter(current, {"enabled": enabled})
        if differences:
            save(current)
            record_change("tool_changed", actor, current, current.name, {"changes": differences})
    return current


def delete_tool(actor: Actor, tool: Tool) -> None:
    """Delete a tool softly: no sync brings it back, only `take_up` does. Raises NotFound."""
    with changing(tool.organization_id):
        current = _held(tool)
        current.deleted_at = timezone.now()
        current.save(update_fields=["deleted_at"])
        record_change("tool_deleted", actor, current, current.name, {"version": current.version})


def _held(tool: Tool) -> Tool:
    """The tool as it is; its connection is held, as by everybody who writes its tools."""
    held(Connection.objects.live(), tool.connection_id)
    current = Tool.objects.live().filter(id=tool.id).first()
    if current is None:
        raise NotFound
    return current


def _take(
    actor: Actor, plan: sync.Plan, listed: Sequence[dict[str, JSON]], *, upstream_name: str
) -> Tool:
    offered = _offered(plan.slug, upstream_name, listed)
    with changing(plan.organization):
        connection = held(Connection.objects.live(), plan.id)
        if (connection.endpoint, connection.synced_at) != (plan.url, plan.synced_at):
            raise sync.Superseded
        restored = _brought_back(connection, upstream_name)
        [pinned] = pin(connection, [offered], first=connection.synced_at is None)
        record_change(
            "tool_added", actor, pinned.tool, pinned.tool.name, _facts(pinned, restored=restored)
        )
    return pinned.tool


def _offered(slug: str, name: str, listed: Sequence[dict[str, JSON]]) -> Offer:
    """What the server says of the tool of that name; raises Conflict."""
    found = [each for each in listed if each["name"] == name]
    if not found:
        detail = f"The server offers {len(listed)} tools, and none of this name."
        raise Conflict(detail, code="tool_not_offered")
    try:
        return offer(slug, found[0], alone=len(found) == 1)
    except Unacceptable as error:
        raise Conflict(error.detail, code="tool_refused") from None


def _brought_back(connection: Connection, upstream_name: str) -> bool:
    """Undo the deletion of a tool, if there was one; raises Conflict for a tool that is there."""
    rows = Tool.objects.filter(connection=connection, upstream_name=upstream_name)
    if rows.filter(deleted_at=None).exists():
        detail = "This tool is there already; sync its connection to see what has changed."
        raise Conflict(detail, code="tool_exists")
    return bool(rows.update(deleted_at=None))


def _facts(pinned: Pinned, *, restored: bool) -> dict[str, Any]:
    return {
        "restored": restored,
        "definition": pinned.definition.number,
        "sha256": pinned.definition.sha256,
        "sync_status": pinned.tool.sync_status,
        "findings": [finding.as_json() for finding in pinned.offer.findings],
    }
