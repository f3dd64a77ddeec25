"""The nouns of the story: a call comes in, a principal asks for a target, an outcome goes out.

What is made anew for every call is a msgspec Struct: a tenth of the cost of a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from msgspec import Struct
from uuid_utils import uuid7

from agentxsuite.engines.pdp import Agent, Decision, Member
from agentxsuite.engines.upstream import Listener
from agentxsuite.gateway.facts import Offer, Snapshot, Tool
from agentxsuite.gateway.refusals import Refusal
from agentxsuite.wire import JSON

Door = Literal["rest", "mcp"]
DEFAULT_TIMEOUT = 30.0  # seconds


class Turn(Struct, frozen=True):
    """What a caller brings to whom asked back: its answers, and the state it was given."""

    answers: Mapping[str, JSON] | None
    state: str | None


class Call(Struct, frozen=True, kw_only=True):
    """One request at a door, parsed but not yet believed.

    ``action`` is what is asked, in policies' words, and ``tool`` of what: a tool, the URI of a
    resource, a prompt. ``timeout`` is in seconds; ``passthrough`` is the connection slug of a
    single-upstream address; ``extra`` and ``meta`` go to the upstream as they came.
    """

    door: Door
    organization: str
    environment: str | None
    credential: str | None  # the Authorization header
    address: str
    client: str
    received: datetime
    action: str = "tool.invoke"
    agent: str | None = None
    tool: str = ""
    arguments: Mapping[str, JSON] = {}
    timeout: float | None = None
    passthrough: str | None = None
    meta: Mapping[str, JSON] = {}
    extra: Mapping[str, JSON] = {}
    headers: Mapping[bytes, bytes] | None = None  # of a caller that repeats arguments in them
    key: str | None = None  # Idempotency-Key
    named: str | None = None  # X-Agent
    certificate: str | None = None  # of the client, as whoever ended TLS has seen it
    listener: Listener | None = None  # hears what the upstream says meanwhile
    askable: frozenset[str] = frozenset()  # the client capabilities by which it may be asked
    turn: Turn | None = None
    request: str | int | None = None  # the caller's own number of the request

    def name_for(self, principal: "Principal") -> tuple[str | int | None, ...]:
        """What its caller knows it by, at the address and in the program that it called from."""
        return principal.subject, principal.agent.id, self.address, self.client, self.request

    def __repr__(self) -> str:
        return f"Call(door={self.door!r}, tool={self.tool!r})"  # never the credential


class Principal(Struct, frozen=True):
    """Who is calling: an agent, or a person running as one. ``scopes`` None means unscoped."""

    snapshot: Snapshot
    agent: Agent
    member: Member | None
    scopes: frozenset[str] | None
    auth_method: str

    @property
    def person(self) -> str | None:
        """The id of the person who runs as the agent, if one does."""
        return self.member.user if self.member else None

    @property
    def subject(self) -> str:
        """The audit's name for who called."""
        return f"user:{self.member.user}" if self.member else f"agent:{self.agent.id}"


class Outcome(Struct, frozen=True):
    """What the upstream answered; ``is_error`` is the tool's own word for failure."""

    result: Mapping[str, JSON]
    is_error: bool
    result_type: str = "complete"


class Step(Struct, frozen=True):
    """One thing that happened in a run."""

    step_type: str
    message: str
    details: Mapping[str, JSON]
    timestamp: datetime


def new_id() -> str:
    """A UUIDv7 (RFC 9562): its order is the order of time."""
    return str(uuid7())


@dataclass(slots=True)
class Entry:
    """What is known of a call so far: the record is written from this."""

    call: Call
    run_id: str = field(default_factory=new_id)
    decision_id: str = field(default_factory=new_id)
    principal: Principal | None = None
    target: Tool | Offer | None = None
    decision: Decision | None = None
    timeout: float = DEFAULT_TIMEOUT
    steps: list[Step] = field(default_factory=list)
    started: datetime | None = None
    ended: datetime | None = None
    outcome: Outcome | None = None
    refusal: Refusal | None = None
    whence: str = ""
    worker_id: str | None = None
    reserved: dict[str, str | int | float | None] | None = None  # the row of the call's key
    replayed: bool = False
    parent: str | None = None  # the run whose question this one answers

    @property
    def tool(self) -> Tool | None:
        """The tool, where the target is one: only its calls are runs."""
        return self.target if isinstance(self.target, Tool) else None
