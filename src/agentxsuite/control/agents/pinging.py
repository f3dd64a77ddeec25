"""How an agent stands, with a real test of its connection where it has one."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.catalog.sync import begin
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.secretstore.services import SecretsUnavailable
from agentxsuite.control.tenancy.problems import NotFound
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.upstream import ServerInfo, UpstreamError, Upstreams
from agentxsuite.wire import JSON

PROBE_SECONDS = 10.0
CLAIMED = 200  # characters of what a server says of itself


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test found: `code` and `reason` say why there was no answer."""

    ok: bool
    code: str | None = None
    reason: str = ""
    seconds: float = 0.0
    server: Mapping[str, JSON] | None = None


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
    """Tell how an agent stands; its rows are read together with it. Raises NotFound.

    No transaction is open while the server is asked.
    """
    tested = await _test(agent.connection, upstreams) if agent.connection else None
    await in_thread(_record, actor, agent, tested)
    reason = standing(agent)
    return {
        "agent": str(agent.id),
        "enabled": not reason,
        "reason": reason,
        "mode": agent.mode,
        "connection": _shown(agent.connection, tested) if agent.connection and tested else None,
    }


def _shown(connection: Connection, tested: Tested) -> dict[str, Any]:
    known = {"id": str(connection.id), "slug": connection.slug, "enabled": connection.enabled}
    return {**known, **asdict(tested)}


async def _test(connection: Connection, upstreams: Upstreams) -> Tested:
    try:
        plan = await in_thread(begin, connection)
    except NotFound:
        return Tested(ok=False, code="not_found", reason="The connection was deleted.")
    except SecretsUnavailable:
        reason = "The connection's credential cannot be read."
        return Tested(ok=False, code="secret_unavailable", reason=reason)
    started = time.monotonic()
    try:
        info = await upstreams.probe(plan.endpoint, timeout=PROBE_SECONDS)
    except UpstreamError as error:
        seconds = time.monotonic() - started
        return Tested(ok=False, code=error.code, reason=error.detail, seconds=seconds)
    return Tested(ok=True, seconds=time.monotonic() - started, server=_server(info))


def _server(info: ServerInfo) -> dict[str, JSON]:
    """What the server claims to be; it may claim at length."""
    return {
        "name": info.name[:CLAIMED],
        "version": info.version[:CLAIMED],
        "protocol_version": info.protocol_version,
        "era": info.era,
    }


def _record(actor: Actor, agent: Agent, tested: Tested | None) -> None:
    with changing(agent.organization_id):
        record(
            "agent_pinged",
            actor=actor,
            organization=agent.organization_id,
            environment=agent.environment_id,
            action="agent.ping",
            target=f"agent:{agent.id}",
            data={} if tested is None else {"ok": tested.ok, "code": tested.code},
        )
