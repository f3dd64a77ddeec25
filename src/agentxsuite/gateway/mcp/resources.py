"""Resources and their templates: lists of what one may read, and the governed reading."""

from msgspec import structs

from agentxsuite.gateway import relinking
from agentxsuite.gateway.authorize import READ
from agentxsuite.gateway.facts import Offer
from agentxsuite.gateway.jsonrpc import INVALID_PARAMS, RpcError
from agentxsuite.gateway.mcp import paging
from agentxsuite.gateway.mcp.exchange import Exchange, Result
from agentxsuite.gateway.offered import LISTED_RESOURCES, LISTED_TEMPLATES, list_offers
from agentxsuite.gateway.questions import is_question
from agentxsuite.gateway.uses import READING, use


async def resources_list(exchange: Exchange) -> Result:
    """One page of the resources this caller may read."""
    found = await list_offers(exchange.call, exchange.gate, LISTED_RESOURCES)
    return paging.page(exchange, "resources", found, "uri")


async def templates_list(exchange: Exchange) -> Result:
    """One page of the templates that can become something this caller may read."""
    found = await list_offers(exchange.call, exchange.gate, LISTED_TEMPLATES)
    return paging.page(exchange, "resourceTemplates", found, "uriTemplate")


async def resources_read(exchange: Exchange) -> Result:
    """The governed reading; the upstream's result as it came."""
    uri = exchange.message.params.get("uri")
    if not isinstance(uri, str):
        raise RpcError(INVALID_PARAMS, "'uri' must be a string.")
    call = structs.replace(exchange.call, action=READ, tool=uri)
    entry = await use(call, exchange.gate, READING)
    result = entry.outcome.result if entry.outcome else {}
    if call.passthrough is None and isinstance(entry.target, Offer):
        result = relinking.of_reading(result, entry.target.connection.slug)
    if not exchange.modern or is_question(result):
        return result
    # Whatever the server says of it, what one may read is one's own affair.
    return {**paging.caching(), **result, "cacheScope": "private"}
