"""Getting to know each other: what this address offers, and that somebody is there."""

from agentxsuite.gateway.capabilities import Capabilities, capabilities
from agentxsuite.gateway.jsonrpc import HANDSHAKE, MODERN
from agentxsuite.gateway.mcp.answers import SERVER
from agentxsuite.gateway.mcp.exchange import Exchange, Result
from agentxsuite.gateway.mcp.paging import caching
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


async def nothing(exchange: Exchange) -> Result:
    """``ping`` and ``logging/setLevel``: an empty result."""
    await open_door(exchange.call, exchange.gate)
    return {}
