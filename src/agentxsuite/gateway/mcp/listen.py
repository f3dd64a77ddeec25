"""``subscriptions/listen``: a stream that says when what its client may list has changed.

Who listens is identified again at every look, by the code that every call goes through: so the
stream ends with the credential. Only that something changed is told; what, the client asks.
"""

from collections.abc import Mapping

from msgspec import Struct, structs

from agentxsuite.gateway.attending import attend
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.http import Request, Send, unless_gone
from agentxsuite.gateway.identify import identify
from agentxsuite.gateway.jsonrpc import INVALID_PARAMS, INVALID_REQUEST, META, RpcError
from agentxsuite.gateway.mcp.answers import SERVER
from agentxsuite.gateway.mcp.exchange import Exchange, Reply
from agentxsuite.gateway.mcp.listed import Listed, honoured
from agentxsuite.gateway.mcp.relay import notification
from agentxsuite.gateway.pipeline import open_door
from agentxsuite.gateway.refusals import Refusal, Unavailable
from agentxsuite.gateway.sse import EventStream, accepts_events
from agentxsuite.wire import JSON

ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


async def listen(exchange: Exchange) -> Reply:
    """The stream; raises RpcError, or Throttled where too many listen."""
    asked = filter_of(exchange.message.params)
    if not accepts_events(exchange.request):
        raise RpcError(INVALID_REQUEST, "The Accept header lacks text/event-stream.")
    principal = await open_door(exchange.call, exchange.gate)
    exchange.gate.listens.check(principal.subject)
    return Listening(exchange, principal, honoured(asked, principal))


def filter_of(params: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """What a client asked to hear of; raises RpcError."""
    asked = params.get("notifications")
    if not isinstance(asked, dict):
        raise RpcError(INVALID_PARAMS, "'notifications' must be an object.")
    return asked


class Listening(Struct, frozen=True):
    """One client's stream."""

    exchange: Exchange
    principal: Principal
    wanted: tuple[str, ...]

    async def deliver(self, request: Request, send: Send, /) -> None:
        """Tell of changes until the client leaves, is refused, or the server stops."""
        stream = EventStream(send)
        with self.exchange.gate.listens.held(self.principal.subject):
            try:
                await unless_gone(self._tell(stream), request.receive)
            finally:
                stream.stop()

    async def _tell(self, stream: EventStream) -> None:
        principal: Principal | None = self.principal
        gate = self.exchange.gate
        seen = Listed(self.wanted, self.principal, self.exchange.call, gate)
        stream.tell(self._note(ACKNOWLEDGED, notifications=dict.fromkeys(self.wanted, True)))
        while principal is not None:
            attend(seen.servers.values(), gate)
            call = await self._next_call()
            principal = await self._who(call, principal)
            if principal is not None and not seen.same(principal):
                async with gate.listens.turn:  # calls go on between two that judge
                    for method in seen.changes(principal, call):
                        stream.tell(self._note(method), method)
        result = {"resultType": "complete", "_meta": {**self._meta, f"{META}serverInfo": SERVER}}
        await stream.end({"jsonrpc": "2.0", "id": self.exchange.message.id, "result": result})

    async def _next_call(self) -> Call:
        """The call as if it were made at the next beat."""
        gate = self.exchange.gate
        await gate.listens.beat()
        return structs.replace(self.exchange.call, received=gate.clock())

    async def _who(self, call: Call, known: Principal) -> Principal | None:
        """Who listens, as far as that can be told now; None when nobody may any more."""
        gate = self.exchange.gate
        try:
            principal = await identify(call, gate)
        except Unavailable:
            return known
        except Refusal:
            return None
        return principal if principal.agent.enabled and not gate.listens.ending else None

    @property
    def _meta(self) -> dict[str, JSON]:
        """What every message of a stream carries."""
        return {f"{META}subscriptionId": self.exchange.message.id}

    def _note(self, method: str, **params: JSON) -> dict[str, JSON]:
        return notification(method, {**params, "_meta": self._meta})
