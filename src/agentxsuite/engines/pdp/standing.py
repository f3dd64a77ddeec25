"""Facts outside policy that close the door whatever policies say, and what a caller is told."""

from collections.abc import Iterator
from typing import Protocol

from agentxsuite.engines.pdp.asking import Agent, Member
from agentxsuite.engines.pdp.decide import DEFAULT_DENY, EXPLICIT_DENY, Decision

Told = tuple[str, str]  # a stable code, and one sentence
RUNNING_ROLES = frozenset({"operator", "admin", "owner"})  # who may run as an agent

_DENIED = {
    EXPLICIT_DENY: "A policy denies this use of '{name}'.",
    DEFAULT_DENY: "No policy allows this use of '{name}'.",
}


class Connection(Protocol):
    """The server behind a tool."""

    @property
    def id(self) -> str:
        """The connection, by id."""
        ...

    @property
    def enabled(self) -> bool:
        """Whether it is switched on."""
        ...


class Tool(Protocol):
    """A tool as it stands."""

    @property
    def enabled(self) -> bool:
        """Whether it is switched on."""
        ...

    @property
    def approved(self) -> bool:
        """Whether there is a definition to go by."""
        ...

    @property
    def sync_status(self) -> str:
        """Whether that is what its server says now."""
        ...

    @property
    def connection(self) -> Connection:
        """Where it is."""
        ...


def barred(member: Member) -> Told | None:
    """Why a person may not run as any agent, if so."""
    if member.role in RUNNING_ROLES:
        return None
    return "role_too_low", f"The role '{member.role}' may not run tools."


def shut(agent: Agent | None, connection: Connection | None) -> Iterator[Told]:
    """Yield every fact that keeps an agent from whatever a connection offers."""
    if agent is not None and not agent.enabled:
        yield "agent_disabled", "This agent is disabled."
    if connection is None:
        return
    if agent is not None and agent.mode == "runner" and agent.connection != connection.id:
        yield "runner_other_connection", "A runner uses only the tools of its own connection."
    if not connection.enabled:
        yield "connection_disabled", "This connection is disabled."


def closed(agent: Agent | None, tool: Tool | None) -> Iterator[Told]:
    """Yield every fact that closes the door to a tool; a call is told the first."""
    yield from shut(agent, tool.connection if tool else None)
    if tool is None:
        return
    if not tool.enabled:
        yield "tool_disabled", "This tool is disabled."
    if tool.sync_status == "pending_review" or not tool.approved:
        detail = (
            "This tool's definition changed upstream: it is quarantined until a person approves."
        )
        yield "tool_quarantined", detail
    if tool.sync_status == "stale":
        yield "tool_stale", "The upstream no longer offers this tool."


def refusal(decision: Decision, fact: Told | None, name: str) -> Told | None:
    """What a denied caller is told of a call of ``name``; None where the call may pass."""
    if fact is not None:
        return fact
    if decision.allowed:
        return None
    return decision.reason, decision.message or _DENIED[decision.reason].format(name=name)
