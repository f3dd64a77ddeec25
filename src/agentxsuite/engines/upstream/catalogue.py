"""An upstream's whole list of tools, however many pages it takes, within bounds."""

from collections.abc import Awaitable, Callable
from typing import Any

from agentxsuite import wire
from agentxsuite.engines.upstream.calls import Call
from agentxsuite.engines.upstream.errors import UpstreamProtocolError
from agentxsuite.engines.upstream.jsonrpc import Message

MAX_PAGES = 100
MAX_BYTES = 16 * 1024 * 1024  # of all definitions together


async def list_tools(ask: Callable[[Call], Awaitable[Message]]) -> list[Message]:
    """Every definition as the upstream gave it; raises UpstreamProtocolError beyond the bounds."""
    tools: list[Message] = []
    size = 0
    seen: set[str] = set()
    params: dict[str, Any] = {}
    for _ in range(MAX_PAGES):
        page = await ask(Call("tools/list", params))
        size += len(wire.dumps(page))
        if size > MAX_BYTES:
            raise UpstreamProtocolError("The upstream's tool list is larger than 16 MiB.")
        tools += _definitions(page)
        cursor = page.get("nextCursor")
        if not isinstance(cursor, str):
            return tools
        if cursor in seen:
            raise UpstreamProtocolError("The upstream's tool list goes in circles.")
        seen.add(cursor)
        params = {"cursor": cursor}
    raise UpstreamProtocolError(f"The upstream's tool list has more than {MAX_PAGES} pages.")


def _definitions(page: Message) -> list[Message]:
    tools = page.get("tools")
    if not isinstance(tools, list) or not all(
        isinstance(tool, dict) and isinstance(tool.get("name"), str) for tool in tools
    ):
        raise UpstreamProtocolError("The upstream's tool list cannot be read.")
    return tools
