"""What the story needs, gathered once at start-up; four of its parts exist in two kinds each."""

from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from agentxsuite.engines.limits import Limiter
from agentxsuite.engines.tokens import Verifier
from agentxsuite.engines.upstream import Endpoint
from agentxsuite.gateway.facts import Snapshot
from agentxsuite.gateway.refusal_meter import RefusalMeter
from agentxsuite.gateway.rows import Change
from agentxsuite.wire import JSON


class Question(Struct, frozen=True):
    """What a call asks of the directory."""

    organization: str
    environment: str | None = None
    token_id: str | None = None
    login_digest: str | None = None


class Facts(Struct, frozen=True):
    """The directory's answer, as fresh as the question.

    ``snapshot`` is None for an unknown or foreign environment; ``token_live`` says whether the
    agent token stands; ``user`` is who holds the login token, if it stands.
    """

    snapshot: Snapshot | None
    token_live: bool
    user: str | None


class Directory(Protocol):
    """Reads facts: never older than the question (docs/one-call.md, "Freshness")."""

    async def ask(self, question: Question) -> Facts:
        """Answer from the database as it is after the question was asked."""
        ...

    async def environments(self, organization: str, reference: str) -> Sequence[str]:
        """Ids of the environments that an id or name, or an agent's id or slug, may mean."""
        ...


class Ledger(Protocol):
    """Writes the record."""

    def commit(self, change: Change) -> Future[None]:
        """Begin to write one change, whether or not somebody waits for it.

        The future is done when the change is durable, and fails with Unavailable.
        """
        ...


class Upstream(Protocol):
    """Runs tools where they live."""

    async def call_tool(
        self,
        endpoint: Endpoint,
        name: str,
        arguments: Mapping[str, JSON],
        *,
        timeout: float,  # noqa: ASYNC109  -- one deadline for connect, send and answer
        meta: Mapping[str, JSON] | None = None,
    ) -> Mapping[str, JSON]:
        """Call one tool; raises UpstreamError."""
        ...


def now() -> datetime:
    """The gateway's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything between an agent and its tools. ``public_url`` has no trailing slash."""

    verifier: Verifier
    directory: Directory
    limiter: Limiter
    upstream: Upstream
    ledger: Ledger
    public_url: str
    clock: Callable[[], datetime] = now
    refusals: RefusalMeter = field(default_factory=RefusalMeter)

    def address(self, organization: str, environment: str) -> str:
        """The MCP address of an environment: what a token's ``aud`` must be."""
        return f"{self.public_url}/mcp/{organization}/{environment}/"
