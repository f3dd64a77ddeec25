"""What the story needs, gathered once at start-up; several of its parts exist in two kinds."""

import os
from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from agentxsuite.engines.limits import Limiter
from agentxsuite.engines.tokens import Fingerprints, OutsideVerifier, Verifier
from agentxsuite.engines.upstream import Endpoint, Kind, Listener, ServerInfo
from agentxsuite.gateway.ears import Ears
from agentxsuite.gateway.facts import Connection, Proof, Snapshot
from agentxsuite.gateway.listens import Listens
from agentxsuite.gateway.listings import Listings
from agentxsuite.gateway.offers import Offers
from agentxsuite.gateway.refusal_meter import RefusalMeter
from agentxsuite.gateway.rows import Change, LostRun, Row, WorkerRow
from agentxsuite.gateway.seals import Seals
from agentxsuite.gateway.vigil import Vigil
from agentxsuite.gateway.worker.lease import Lease
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

    async def environments(
        self, organization: str, name: str | None = None, agent: str | None = None
    ) -> Sequence[str]:
        """Ids of the environments of a name or id, or that have the agent of a slug or id."""
        ...

    async def homes(self, organization: str, proof: Proof) -> Sequence[str]:
        """Ids of the environments with an agent that the proof may be of."""
        ...


class Ledger(Protocol):
    """Writes the record, and keeps the workers' leases."""

    def commit(self, change: Change) -> Future[None]:
        """Begin to write one change, whether or not somebody waits for it.

        The future is done when the change is durable. It fails with Unavailable, with KeyTaken
        when the change's key is reserved already, with AlreadyEnded when the run it ends has ended.
        """
        ...

    async def beat(self, worker: WorkerRow) -> Sequence[str]:
        """Renew a worker's lease; the ids of its runs that somebody wants cancelled."""
        ...

    async def cancelled(self, worker_id: str) -> Sequence[str]:
        """Ids of this worker's runs that somebody wants cancelled."""
        ...

    async def leave(self, worker_id: str) -> None:
        """Give a lease back."""
        ...

    async def lost(self, lease_seconds: float, grace_seconds: float) -> Sequence[LostRun]:
        """Runs whose worker is gone, or that are beyond their timeout and the grace."""
        ...

    async def sweep(self, lease_seconds: float) -> None:
        """Forget keys after a day, and dead workers without runs."""
        ...


class StoredRun(Struct, frozen=True, kw_only=True):
    """What a key led to: the digest of its request, and the run as it is on record.

    ``output`` is exact JSON text; ``code`` is the refusal's, where the run failed by one.
    """

    digest: str
    run_id: str
    decision_id: str
    status: str
    outcome_code: str | None
    tool_version: str
    started_at: datetime | None
    ended_at: datetime | None
    output: str | None
    error_text: str
    code: str | None


class Answers(Protocol):
    """Reads what a request with a key was answered before."""

    async def stored(self, reserved: Row) -> StoredRun | None:
        """Find the run of a key by the key's row; raises Unavailable."""
        ...


class Upstream(Protocol):
    """Asks the servers behind the tools."""

    async def request(
        self,
        endpoint: Endpoint,
        method: str,
        params: Mapping[str, JSON],
        *,
        timeout: float,  # noqa: ASYNC109  -- one deadline for connect, send and answer
        meta: Mapping[str, JSON] | None = None,
        listener: Listener | None = None,
    ) -> Mapping[str, JSON]:
        """Ask once; ``listener`` hears what is said meanwhile. Raises UpstreamError."""
        ...

    async def list_all(
        self,
        endpoint: Endpoint,
        kind: Kind,
        *,
        timeout: float,  # noqa: ASYNC109  -- for all pages together
    ) -> Sequence[Mapping[str, JSON]]:
        """Every definition of a kind; raises UpstreamError."""
        ...

    async def list_tools(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,  # noqa: ASYNC109  -- for all pages together
    ) -> Sequence[Mapping[str, JSON]]:
        """Every tool's definition; raises UpstreamError."""
        ...

    def heed(self, heard: Callable[[str, str], None]) -> None:
        """Tell ``heard`` of a connection whose server says that a list of its has changed."""
        ...

    async def attend(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,  # noqa: ASYNC109  -- one deadline for connect, send and answer
    ) -> None:
        """Hear of a server's changes for the next minutes; raises UpstreamError."""
        ...

    async def forget(self, endpoint_id: str) -> None:
        """Let go of what is kept for a connection."""
        ...

    async def who(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,  # noqa: ASYNC109  -- one deadline for connect, send and answer
    ) -> ServerInfo:
        """What the server said about itself; raises UpstreamError."""
        ...


def now() -> datetime:
    """The gateway's clock."""
    return datetime.now(UTC)


async def unsynced(_connection: Connection) -> None:
    """Nobody keeps a record of what servers say."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything between an agent and its tools. ``public_url`` has no trailing slash.

    ``by_name`` is whether agents without a credential may name themselves where that is open.
    """

    verifier: Verifier
    outside: OutsideVerifier
    fingerprints: Fingerprints
    directory: Directory
    limiter: Limiter
    upstream: Upstream
    ledger: Ledger
    answers: Answers
    public_url: str
    by_name: bool = False
    clock: Callable[[], datetime] = now
    refusals: RefusalMeter = field(default_factory=RefusalMeter)
    lease: Lease = field(default_factory=Lease)
    listens: Listens = field(default_factory=Listens)
    seals: Seals = field(default_factory=lambda: Seals((os.urandom(32),)))
    offers: Offers = field(default_factory=Offers)
    listings: Listings = field(default_factory=Listings)
    vigil: Vigil = field(default_factory=Vigil)
    ears: Ears = field(default_factory=Ears)
    sync: Callable[[Connection], Awaitable[None]] = unsynced

    def address(self, organization: str, environment: str) -> str:
        """The MCP address of an environment: what a token's ``aud`` must be."""
        return f"{self.public_url}/mcp/{organization}/{environment}/"
