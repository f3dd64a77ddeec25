"""What an address can truthfully say it offers: what its servers say, as far as the caller may."""

import asyncio
from collections.abc import Mapping
from functools import partial

from agentxsuite.engines.upstream import Endpoint, ServerInfo, UpstreamError
from agentxsuite.gateway.authorize import GET, READ, in_scope, standing
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.offered import LIST_SECONDS, at, some
from agentxsuite.wire import JSON

Capabilities = Mapping[str, JSON]

PATIENCE = 2.0  # seconds; a server that takes longer may offer anything
OTHERS: Mapping[str, tuple[Capabilities, tuple[str, ...]]] = {  # what is said, and who hears it
    "resources": ({"subscribe": False}, (READ,)),
    "prompts": ({}, (GET,)),
    "completions": ({}, (READ, GET)),
    "logging": ({}, ("tool.invoke", READ, GET)),
}
LISTS = ("resources", "prompts")  # whose changes are told


async def capabilities(
    principal: Principal, call: Call, gate: Gate, *, notices: bool
) -> Capabilities:
    """MCP's ``ServerCapabilities`` of the call's address; of a silent server all is hoped.

    ``notices``: whether the caller's era has a stream to hear of changes.
    """
    here = [each for each in at(principal, call) if standing(principal, some(each)) is None]
    endpoints = [each.endpoint for each in here if each.endpoint is not None]
    said = await asyncio.gather(*(says(endpoint, gate) for endpoint in endpoints))
    told: Capabilities = {"listChanged": notices}
    return {"tools": told} | {
        name: {**content, **told} if name in LISTS else content
        for name, (content, actions) in OTHERS.items()
        if any(in_scope(principal, action) for action in actions)
        and any(each is None or name in each.capabilities for each in said)
    }


async def says(endpoint: Endpoint, gate: Gate) -> ServerInfo | None:
    """What a server said about itself, None where that is not known in time."""
    ask = partial(gate.upstream.who, endpoint, timeout=LIST_SECONDS)
    try:
        async with asyncio.timeout(PATIENCE):
            info: ServerInfo = await gate.offers.get(endpoint, "who", ask)
            return info
    except (UpstreamError, TimeoutError):
        return None
