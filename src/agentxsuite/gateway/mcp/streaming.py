"""Requests whose client wants to hear of them while they run: answered by a stream, if need be."""

from msgspec import Struct, structs

from agentxsuite.gateway.http import Request, Send, unless_gone
from agentxsuite.gateway.jsonrpc import RpcError
from agentxsuite.gateway.mcp.answers import Answer, Whence, finished, refused
from agentxsuite.gateway.mcp.exchange import Exchange, Reply, Result, ResultHandler
from agentxsuite.gateway.mcp.relay import Relay, Tell
from agentxsuite.gateway.mcp.wishes import Wishes
from agentxsuite.gateway.refusals import Refusal
from agentxsuite.gateway.sse import EventStream, accepts_events


class Streaming(Struct, frozen=True):
    """A handler whose upstream is heard while it works."""

    handle: ResultHandler

    async def __call__(self, exchange: Exchange) -> Result | Reply:
        """The result, where nobody wants to hear of it before; else a reply that tells."""
        wishes = Wishes.of(exchange.message, modern=exchange.modern)
        if wishes.to_hear and accepts_events(exchange.request):
            return Told(exchange, wishes, self.handle)
        return await self.handle(heard(exchange, wishes) if wishes.capabilities else exchange)


class Told(Struct, frozen=True):
    """A reply that tells what happens meanwhile; plain JSON when nothing did."""

    exchange: Exchange
    wishes: Wishes
    handle: ResultHandler

    async def deliver(self, request: Request, send: Send, /) -> None:
        """Do the work, and send all there is to say of it; raises Gone."""
        stream = EventStream(send)
        try:
            reply = await unless_gone(self._reply(stream), request.receive)
        finally:
            stream.stop()
        if reply is not None:
            await reply.deliver(request, send)

    async def _reply(self, stream: EventStream) -> Reply | None:
        """What is left to send when the work is done; None where the stream has told it all."""
        exchange = heard(self.exchange, self.wishes, stream.tell)
        reply: Reply
        try:
            reply = finished(await self.handle(exchange), exchange)
        except (RpcError, Refusal) as no:
            reply = refused(no, Whence.of(exchange))
        if stream.silent or not isinstance(reply, Answer):  # a Problem comes before anything runs
            return reply
        await stream.end(reply.content or {})
        return None


def heard(exchange: Exchange, wishes: Wishes, tell: Tell | None = None) -> Exchange:
    """The exchange, with somebody who hears what its upstream says, and may be asked."""
    call = structs.replace(
        exchange.call, listener=Relay(wishes, tell), askable=frozenset(wishes.capabilities)
    )
    return structs.replace(exchange, call=call)
