"""How an agent stands, with a real test of its connection where it has one."""

from dataclasses import asdict
from typing import Any

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.catalog.models import Connection, ConnectionStatus
from agentxsuite.control.catalog.probing import Probe, probe_connection
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.problems import NotFound
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.upstream import Upstreams

GONE = Probe(ConnectionStatus.FAIL, 0, "not_found", "The connection was deleted.")


def standing(agent: Agent) -> str:
    """Why the agent is closed, as one sentence; empty while it is not."""
    account = agent.service_account
    if not agent.enabled:
        return "The agent is disabled."
    if account is not None and account.deleted_at is not None:
        return "The agent's service account was deleted."
    if account is not None and not account.enabled:
        return "The agent's service account is disabled."
    return ""


async def ping_agent(actor: Actor, agent: Agent, upstreams: Upstreams) -> dict[str, Any]:
    """Tell how an agent stands; what it points at has been read together with it.

    No transaction is open while the server is asked.
    """
    connection, reason = agent.connection, standing(agent)
    probe = await _probe(actor, connection, upstreams) if connection else None
    await in_thread(_record, actor, agent, probe)
    return {
        "agent": str(agent.id),
        "enabled": not reason,
        "reason": reason,
        "mode": agent.mode,
        "connection": _shown(connection, probe) if connection and probe else None,
    }


async def _probe(actor: Actor, connection: Connection, upstreams: Upstreams) -> Probe:
    try:
        return await probe_connection(actor, connection, upstreams)
    except NotFound:
        return GONE


def _shown(connection: Connection, probe: Probe) -> dict[str, Any]:
    known = {"id": str(connection.id), "slug": connection.slug, "enabled": connection.enabled}
    return {**known, **asdict(probe)}


def _record(actor: Actor, agent: Agent, probe: Probe | None) -> None:
    with changing(agent.organization_id):
        record(
            "agent_pinged",
            actor=actor,
            organization=agent.organization_id,
            environment=agent.environment_id,
            action="agent.ping",
            target=f"agent:{agent.id}",
            data={} if probe is None else {"status": probe.status, "code": probe.code},
        )
