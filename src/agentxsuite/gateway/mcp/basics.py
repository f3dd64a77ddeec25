"""Getting to know each other: what this address offers, and that somebody is there."""

from agentxsuite.gateway.capabilities import Capabilities, capabilities
from agentxsuite.gateway.jsonrpc import HANDSHAKE, INVALID_PARAMS, MODERN, RpcError
from agentxsuite.gateway.mcp.answers import SERVER
from agentxsuite.gateway.mcp.exchange import Exchange, Result
from agentxsuite.gateway.mcp.paging import caching
from agentxsuite.gateway.mcp.wishes import LEVELS
from agentxsuite.gateway.pipeline import open_door


async def discover(exchange: Exchange) -> Result:
    """``server/discover``: what the modern era asks instead of ``initialize``."""
    versions = [MODERN, *HANDSHAKE]
    return {"supportedVersions": versions, "capabilities": await here(exchange), **caching()}


async def initialize(exchange: Exchange) -> Result:
    """The handshake, answered without a session."""
    offered = await here(exchange)
    asked = exchange.message.params.get("protocolVersion")
    version = asked if asked in HANDSHAKE else HANDSHAKE[0]
    return {"protocolVersion": version, "capabilities": offered, "serverInfo": SERVER}


async def here(exchange: Exchange) -> Capabilities:
    """What this caller finds at this address."""
    principal = await open_door(exchange.call, exchange.gate)
    return await capabilities(principal, exchange.call, exchange.gate, notices=exchange.modern)


async def set_level(exchange: Exchange) -> Result:
    """``logging/setLevel``: heard, but there is no session to keep it for; raises RpcError."""
    if exchange.message.params.get("level") not in LEVELS:
        raise RpcError(INVALID_PARAMS, f"'level' is none of {', '.join(LEVELS)}.")
    return await nothing(exchange)


async def nothing(exchange: Exchange) -> Result:
    """``ping``: an empty result."""
    await open_door(exchange.call, exchange.gate)
    return {}
