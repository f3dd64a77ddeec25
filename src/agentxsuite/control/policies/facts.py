"""From rows to what conditions look at: one reading for calls and for trials of policies."""

from collections.abc import Mapping

from agentxsuite.control.agents.models import Agent as AgentRow
from agentxsuite.control.catalog.models import Tool as ToolRow
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines.pdp import Agent
from agentxsuite.wire import JSON


def agent_of(row: AgentRow) -> Agent:
    """Return one agent; when its service account is disabled, so is it."""
    account = row.service_account
    standing = account is None or (account.enabled and account.deleted_at is None)
    return Agent(
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


def environment_root(row: Environment) -> Mapping[str, JSON]:
    """Return the `env` root."""
    return {"id": str(row.id), "name": row.name, "type": row.type}


def tool_root(row: ToolRow, slug: str) -> Mapping[str, JSON]:
    """Return the `tool` root under the approved definition; `slug` is its connection's."""
    definition = row.definition.definition if row.definition else {}
    return {
        "id": str(row.id),
        "name": row.name,
        "upstream_name": row.upstream_name,
        "version": row.version,
        "connection": slug,
        "annotations": definition.get("annotations") or {},
    }
