"""What passes between the parts of this engine: one request, one conversation, one channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agentxsuite.engines.upstream.eras import ServerInfo
from agentxsuite.engines.upstream.jsonrpc import Message

# Asking these twice changes nothing, so a request that met a dying socket may be repeated.
_REPEATABLE = frozenset({"initialize", "ping", "server/discover", "tools/list"})
# The protocol forbids to cancel its own negotiation.
_UNCANCELLABLE = frozenset({"initialize", "server/discover"})


@dataclass(slots=True)
class Call:
    """One request; ``sent`` becomes true when its first byte may have left."""

    method: str
    params: Mapping[str, Any]
    name: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    sent: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether the upstream may get it twice."""
        return self.method in _REPEATABLE

    @property
    def cancellable(self) -> bool:
        """Whether the upstream wants to hear that nobody waits any more."""
        return self.method not in _UNCANCELLABLE


@dataclass(slots=True)
class Session:
    """A conversation: with whom, and the id that a handshake server gave it (if any)."""

    info: ServerInfo
    id: bytes | None = None


class Channel(Protocol):
    """A way to one upstream; Streamable HTTP and stdio are the two there are."""

    async def start(self) -> None:
        """Make sure that somebody listens; raises UpstreamError."""
        ...

    async def ask(self, call: Call, session: Session) -> Message:
        """Bring back the result of one request; raises UpstreamError."""
        ...

    async def tell(self, body: bytes, session: Session, /) -> None:
        """Deliver a message that has no answer; raises UpstreamError."""
        ...

    async def end(self, session: Session | None, /) -> None:
        """Say goodbye and let go of everything."""
        ...
