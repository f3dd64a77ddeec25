"""Getting to know each other: what this address offers, and that somebody is there."""

from agentxsuite.gateway.jsonrpc import HANDSHAKE, MODERN
from agentxsuite.gateway.mcp.answers import SERVER
from agentxsuite.gateway.mcp.exchange import Exchange, Result
from agentxsuite.gateway.mcp.paging import caching
from agentxsuite.gateway.pipeline import open_door
from agentxsuite.wire import JSON

CAPABILITIES: dict[str, JSON] = {"tools": {"listChanged": True}}
HANDSHAKE_CAPABILITIES: dict[str, JSON] = {"tools": {"listChanged": False}}  # there is no stream


async def discover(exchange: Exchange) -> Result:
    """``server/discover``: what the modern era asks instead of ``initialize``."""
    await open_door(exchange.call, exchange.gate)
    versions = [MODERN, *HANDSHAKE]
    return {"supportedVersions": versions, "capabilities": CAPABILITIES, **caching()}


async def initialize(exchange: Exchange) -> Result:
    """The handshake, answered without a session."""
    await open_door(exchange.call, exchange.gate)
    asked = exchange.message.params.get("protocolVersion")
    version = asked if asked in HANDSHAKE else HANDSHAKE[0]
    return {
        "protocolVersion": version,
        "capabilities": HANDSHAKE_CAPABILITIES,
        "serverInfo": SERVER,
    }


async def nothing(exchange: Exchange) -> Result:
    """``ping`` and ``logging/setLevel``: an empty result."""
    await open_door(exchange.call, exchange.gate)
    return {}
