"""One POST at the door: read, handled, replied; whatever goes wrong is a reply too."""

from collections.abc import Mapping

from msgspec import structs

from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.http import Request, Send, unless_gone
from agentxsuite.gateway.jsonrpc import METHOD_NOT_FOUND, Message, RpcError, is_modern
from agentxsuite.gateway.mcp.answers import Whence, accepted, finished, refused
from agentxsuite.gateway.mcp.exchange import Address, Exchange, Reply
from agentxsuite.gateway.mcp.methods import HANDSHAKE_METHODS, MODERN_METHODS
from agentxsuite.gateway.mcp.reading import read_call, read_request
from agentxsuite.gateway.pipeline import open_door
from agentxsuite.gateway.refusals import Refusal

CANCELLED = "notifications/cancelled"  # of the old era; now a client says it by going away


async def serve(request: Request, address: Address, gate: Gate, send: Send) -> None:
    """Answer one POST: a JSON-RPC response, 202 for what needs none, or an HTTP refusal."""
    reply = await replied(request, address, gate)
    await reply.deliver(request, send)


async def replied(request: Request, address: Address, gate: Gate) -> Reply:
    """What goes back."""
    message: Message | None = None
    modern = False
    try:
        message = await read_request(request)
        modern = is_modern(message, request)
        call = read_call(request, address, message, gate, modern=modern)
        exchange = Exchange(request, address, gate, message, modern, call)
        return await unless_gone(handled(exchange), request.receive)
    except (RpcError, Refusal) as no:
        return refused(no, Whence(message, modern, address, gate.public_url))


async def handled(exchange: Exchange) -> Reply:
    """The reply of the method's handler; raises RpcError or Refusal."""
    message = exchange.message
    if message.id is None:
        principal = await open_door(exchange.call, exchange.gate)
        if message.method == CANCELLED and not exchange.modern:
            call = structs.replace(exchange.call, request=message.params.get("requestId"))
            exchange.gate.lease.cancel_named(call.name_for(principal))
        return accepted()
    handle = (MODERN_METHODS if exchange.modern else HANDSHAKE_METHODS).get(message.method)
    if handle is None:
        await open_door(exchange.call, exchange.gate)
        raise RpcError(METHOD_NOT_FOUND, f"Method not found: {message.method[:100]}")
    result = await handle(exchange)
    return finished(result, exchange) if isinstance(result, Mapping) else result
