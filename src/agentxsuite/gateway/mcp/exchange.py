"""The nouns at this door: an address, one exchange of messages, and what a handler gives back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from msgspec import Struct

from agentxsuite.gateway.call import Call
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.http import Request, Send
from agentxsuite.gateway.jsonrpc import Message
from agentxsuite.wire import JSON

Result = Mapping[str, JSON]


class Address(Struct, frozen=True):
    """Which environment, and with ``connection`` which single upstream, is addressed.

    ``slash`` is whether the caller wrote the one at the end.
    """

    organization: str
    environment: str
    connection: str | None
    slash: bool = True

    @property
    def path(self) -> str:
        """The environment's address, which credentials are bound to."""
        return f"/mcp/{self.organization}/{self.environment}/"

    @property
    def exact(self) -> str:
        """The address as it was called: what its metadata is about (RFC 9728 section 3.3)."""
        whole = f"{self.path}{self.connection}/" if self.connection else self.path
        return whole if self.slash else whole[:-1]


class Exchange(Struct, frozen=True):
    """One message at the door, what answering it needs, and the headers of its answer."""

    request: Request
    address: Address
    gate: Gate
    message: Message
    modern: bool
    call: Call
    headers: list[tuple[bytes, bytes]] = []


class Reply(Protocol):
    """What goes back over HTTP: one answer, or a stream of messages that ends with one."""

    async def deliver(self, request: Request, send: Send, /) -> None:
        """Send it; raises Gone when the caller has hung up."""
        ...


# A handler gives a result, which the door finishes in the caller's era, or a reply of its own.
Handler = Callable[[Exchange], Awaitable[Result | Reply]]
ResultHandler = Callable[[Exchange], Awaitable[Result]]
