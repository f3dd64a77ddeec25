"""Prompts: the list of those that one may get, and the governed getting."""

from msgspec import structs

from agentxsuite.gateway import relinking
from agentxsuite.gateway.authorize import GET
from agentxsuite.gateway.facts import Offer
from agentxsuite.gateway.jsonrpc import INVALID_PARAMS, RpcError
from agentxsuite.gateway.mcp import paging
from agentxsuite.gateway.mcp.exchange import Exchange, Result
from agentxsuite.gateway.offered import LISTED_PROMPTS, list_offers
from agentxsuite.gateway.uses import GETTING, use


async def prompts_list(exchange: Exchange) -> Result:
    """One page of the prompts that this caller could get with some arguments."""
    found = await list_offers(exchange.call, exchange.gate, LISTED_PROMPTS)
    return paging.page(exchange, "prompts", found, "name")


async def prompts_get(exchange: Exchange) -> Result:
    """The governed getting; the upstream's result as it came."""
    params = exchange.message.params
    name, arguments = params.get("name"), params.get("arguments", {})
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise RpcError(INVALID_PARAMS, "'name' must be a string and 'arguments' an object.")
    call = structs.replace(exchange.call, action=GET, tool=name, arguments=arguments)
    entry = await use(call, exchange.gate, GETTING)
    result = entry.outcome.result if entry.outcome else {}
    if call.passthrough is None and isinstance(entry.target, Offer):
        return relinking.of_prompt(result, entry.target.connection.slug)
    return result
