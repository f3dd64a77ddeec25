"""Tools: the list of those that one may call, and the governed call itself."""

from bisect import bisect_right
from operator import attrgetter

from agentxsuite.gateway import relinking
from agentxsuite.gateway.facts import Tool
from agentxsuite.gateway.http import REPLAYED
from agentxsuite.gateway.mcp import paging
from agentxsuite.gateway.mcp.exchange import Exchange, Result
from agentxsuite.gateway.pipeline import call_tool, list_tools
from agentxsuite.wire import JSON


async def tools_list(exchange: Exchange) -> Result:
    """One page of the tools this caller could call with some arguments."""
    after = paging.cursor_name(exchange.message.params.get("cursor"))
    listed = await list_tools(exchange.call, exchange.gate)
    start = bisect_right(listed, after, key=attrgetter("name"))
    plain = exchange.call.passthrough is not None
    page = listed[start : start + paging.PAGE]
    result: dict[str, JSON] = {"tools": [described(tool, plain=plain) for tool in page]}
    if start + len(page) < len(listed):
        result["nextCursor"] = paging.cursor_after(page[-1].name)
    return result | (paging.caching() if exchange.modern else {})


async def tools_call(exchange: Exchange) -> Result:
    """The governed call; the upstream's result as it came."""
    entry = await call_tool(exchange.call, exchange.gate)
    if entry.replayed:
        exchange.headers.extend(REPLAYED)
    result = entry.outcome.result if entry.outcome else {}
    if exchange.call.passthrough is None and entry.target is not None:
        return relinking.of_call(result, entry.target.connection.slug)
    return result


def described(tool: Tool, *, plain: bool) -> dict[str, JSON]:
    """The approved definition under the name this address knows it by."""
    return {**tool.definition, "name": tool.upstream_name if plain else tool.mcp_name}
