"""``completion/complete``: suggestions for an argument of a prompt or of a resource template."""

from msgspec import structs

from agentxsuite.gateway.authorize import GET, READ
from agentxsuite.gateway.completing import complete
from agentxsuite.gateway.jsonrpc import INVALID_PARAMS, RpcError
from agentxsuite.gateway.mcp.exchange import Exchange, Result

REFERENCES = {"ref/prompt": (GET, "name"), "ref/resource": (READ, "uri")}


async def completion_complete(exchange: Exchange) -> Result:
    """What the server suggests, as it came."""
    params = exchange.message.params
    ref = params.get("ref")
    kind = ref.get("type") if isinstance(ref, dict) else None
    if not isinstance(ref, dict) or not isinstance(kind, str) or kind not in REFERENCES:
        raise RpcError(INVALID_PARAMS, "'ref' must be a ref/prompt or a ref/resource.")
    action, key = REFERENCES[kind]
    if not isinstance(ref.get(key), str):
        raise RpcError(INVALID_PARAMS, f"'ref.{key}' must be a string.")
    call = structs.replace(exchange.call, action=action, tool=ref[key], extra={})
    asked = {name: value for name, value in params.items() if name != "_meta"}
    return await complete(call, exchange.gate, asked)
