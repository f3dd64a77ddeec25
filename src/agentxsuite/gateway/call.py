"""The nouns of the story: a call comes in, a principal asks for a target, an outcome goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from uuid_utils.compat import uuid7

from agentxsuite.engines.pdp import Decision
from agentxsuite.gateway.facts import Agent, Member, Snapshot, Tool
from agentxsuite.gateway.refusals import Refusal
from agentxsuite.wire import JSON

Door = Literal["rest", "mcp"]
DEFAULT_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Call:
    """One request at a door, parsed but not yet believed.

    ``timeout`` is in seconds; ``passthrough`` is the connection slug of a single-upstream address.
    """

    door: Door
    organization: str
    environment: str | None
    credential: str | None
    address: str
    client: str
    received: datetime
    agent: str | None = None
    tool: str = ""
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    timeout: float | None = None
    passthrough: str | None = None
    meta: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: an agent, or a person running as one. ``scopes`` None means unscoped."""

    snapshot: Snapshot
    agent: Agent
    member: Member | None
    scopes: frozenset[str] | None
    auth_method: str

    @property
    def subject(self) -> str:
        """The audit's name for who called."""
        return f"user:{self.member.user}" if self.member else f"agent:{self.agent.id}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the upstream answered; ``is_error`` is the tool's own word for failure."""

    result: Mapping[str, JSON]
    is_error: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened in a run."""

    step_type: str
    message: str
    details: Mapping[str, JSON]
    timestamp: datetime


@dataclass(slots=True)
class Entry:
    """What is known of a call so far: the record is written from this."""

    call: Call
    run_id: UUID = field(default_factory=uuid7)
    decision_id: UUID = field(default_factory=uuid7)
    principal: Principal | None = None
    target: Tool | None = None
    decision: Decision | None = None
    timeout: float = DEFAULT_TIMEOUT
    steps: list[Step] = field(default_factory=list)
    started: datetime | None = None
    ended: datetime | None = None
    outcome: Outcome | None = None
    refusal: Refusal | None = None
