"""Who asks for what under which circumstances, and the request that this makes.

A call, a list and a trial all ask by the one function here, so that none of them can tell the
engine another story than the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from agentxsuite.engines.pdp.model import Request
from agentxsuite.engines.pdp.paths import Absent
from agentxsuite.wire import JSON

_NOTHING: Mapping[str, JSON] = {}


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of the environment; ``attributes`` is its ``principal`` root for conditions."""

    id: str
    name: str
    slug: str
    mode: str
    enabled: bool
    connection: str | None
    attributes: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Member:
    """A person's active membership of the organization."""

    user: str
    email: str
    role: str


class Place(Protocol):
    """The environment in which something is asked."""

    @property
    def organization(self) -> str:
        """Its organization, by id."""
        ...

    @property
    def environment(self) -> str:
        """Its own id."""
        ...

    @property
    def attributes(self) -> Mapping[str, JSON]:
        """The ``env`` root for conditions."""
        ...


class Asker(Protocol):
    """An agent, a person, or a person running as an agent."""

    @property
    def snapshot(self) -> Place:
        """Where it is asked."""
        ...

    @property
    def agent(self) -> Agent | None:
        """The agent that asks, or that the person runs as."""
        ...

    @property
    def member(self) -> Member | None:
        """The person, where it is one."""
        ...


class Asked(Protocol):
    """A tool that is there."""

    @property
    def id(self) -> str:
        """The tool, by id."""
        ...

    @property
    def attributes(self) -> Mapping[str, JSON]:
        """The ``tool`` root for conditions."""
        ...


class Circumstances(NamedTuple):
    """How a request came in; what is None is not known, and conditions find nothing there."""

    door: str | None = None
    ip: str | None = None
    auth_method: str | None = None
    client: str | None = None


def ask(
    asker: Asker,
    action: str,
    target: str,
    tool: Asked | None,
    how: Circumstances,
    given: JSON | Absent,
) -> Request:
    """The question in the engine's words; ``given`` is the input, every id the server's own.

    ``request.time`` and ``context.time`` are left out: they are the engine's instant.
    """
    place, agent, member = asker.snapshot, asker.agent, asker.member
    door, ip, auth_method, client = how
    seen = {"action": action, "target": target, "door": door, "ip": ip}
    context = {"auth_method": auth_method, "client": client, "ip": ip}
    partly = None in how
    return Request(
        organization=place.organization,
        environment=place.environment,
        action=action,
        target=target,
        agent=agent.id if agent else None,
        user=member.user if member else None,
        roles=(member.role,) if member else (),
        tool=tool.id if tool else None,
        attributes={
            "principal": principal(agent, member),
            "env": place.attributes,
            "tool": tool.attributes if tool else _NOTHING,
            "request": _known(seen) if partly else seen,
            "context": _known(context) if partly else context,
        },
        input=given,
    )


def principal(agent: Agent | None, member: Member | None) -> dict[str, JSON]:
    """The ``principal`` root: the agent and the person running as it, or the person alone."""
    user = {"id": member.user, "email": member.email} if member else None
    roles = [member.role] if member else []
    if agent is None:
        return {"kind": "user", "id": user and user["id"], "roles": roles, "user": user}
    return {**agent.attributes, "roles": roles, "user": user}


def _known(root: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in root.items() if value is not None}
