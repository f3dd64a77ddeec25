"""What passes between the parts of this engine: one request, one conversation, one channel."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agentxsuite import wire
from agentxsuite.engines.upstream import jsonrpc
from agentxsuite.engines.upstream.endpoint import Endpoint
from agentxsuite.engines.upstream.eras import Era, ServerInfo, stamped
from agentxsuite.engines.upstream.jsonrpc import Message
from agentxsuite.wire import JSON

# Asking these twice changes nothing, so a request that met a dying socket may be repeated.
_REPEATABLE = frozenset(
    {
        "completion/complete",
        "initialize",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "server/discover",
        "tools/list",
    }
)
# The protocol forbids to cancel its own negotiation.
_UNCANCELLABLE = frozenset({"initialize", "server/discover"})


Heard = Callable[[str], None]  # takes the method of a notice


class Listener(Protocol):
    """Hears what an upstream says of one request while it works on it."""

    @property
    def stamp(self) -> Mapping[str, JSON]:
        """The protocol's own ``_meta`` keys that the upstream may know: capabilities, log level."""
        ...

    async def hear(self, message: Message, /) -> Message | None:
        """Take a notification or a request; what it returns is a request's ``result`` or ``error``.

        None leaves the answer to this engine. The upstream is read on when it returns.
        """
        ...


@dataclass(slots=True)
class Call:
    """One request; ``sent`` becomes true when its first byte may have left.

    With a ``listener`` the request's own number is its progress token.
    """

    method: str
    params: Mapping[str, Any]
    name: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    sent: bool = False
    listener: Listener | None = None

    @property
    def repeatable(self) -> bool:
        """Whether the upstream may get it twice."""
        return self.method in _REPEATABLE

    @property
    def cancellable(self) -> bool:
        """Whether the upstream wants to hear that nobody waits any more."""
        return self.method not in _UNCANCELLABLE

    def body(self, number: int, era: Era) -> bytes:
        """The request as it is sent to an upstream of this era."""
        params = self.params
        if self.listener is not None:
            stamp = self.listener.stamp if era == "stateless" else {}
            meta = {**params.get("_meta", {}), "progressToken": number}
            return jsonrpc.request(
                number, self.method, stamped({**params, "_meta": meta}, era, stamp)
            )
        return jsonrpc.request(number, self.method, stamped(params, era))

    async def answer(self, message: Message) -> bytes | None:
        """What is said to a message of the upstream's own; None where nothing is due."""
        if self.listener is not None:
            told = await self.listener.hear(message)
            if told is not None and message.get("id") is not None:
                return wire.dumps({"jsonrpc": "2.0", "id": message["id"], **told})
        return jsonrpc.answer_for(message)


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

    async def listen(self, session: Session, wanted: Mapping[str, JSON], heard: Heard, /) -> bool:
        """Hear of changes until the stream ends; whether it is worth to listen again.

        Raises UpstreamError.
        """
        ...

    def show(self, endpoint: Endpoint, /) -> None:
        """From now on send the headers of this endpoint, which differs in nothing else."""
        ...

    async def end(self, session: Session | None, /) -> None:
        """Say goodbye and let go of everything."""
        ...
