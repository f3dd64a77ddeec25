"""An upstream's whole list of one kind of thing, however many pages it takes, within bounds."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from agentxsuite import wire
from agentxsuite.engines.upstream.calls import Call
from agentxsuite.engines.upstream.errors import UpstreamProtocolError
from agentxsuite.engines.upstream.jsonrpc import Message

MAX_PAGES = 100
MAX_BYTES = 16 * 1024 * 1024  # of all definitions together


class Kind(NamedTuple):
    """What is listed: the method, the member of its answer, what each item is known by.

    ``capability`` is what a server says that has any.
    """

    method: str
    member: str
    key: str
    capability: str
    noun: str


TOOLS = Kind("tools/list", "tools", "name", "tools", "tool")
RESOURCES = Kind("resources/list", "resources", "uri", "resources", "resource")
TEMPLATES = Kind(
    "resources/templates/list", "resourceTemplates", "uriTemplate", "resources", "template"
)
PROMPTS = Kind("prompts/list", "prompts", "name", "prompts", "prompt")


async def read_all(ask: Callable[[Call], Awaitable[Message]], kind: Kind) -> list[Message]:
    """Every definition as the upstream gave it; raises UpstreamProtocolError beyond the bounds."""
    found: list[Message] = []
    size = 0
    seen: set[str] = set()
    params: dict[str, Any] = {}
    for _ in range(MAX_PAGES):
        page = await ask(Call(kind.method, params))
        size += len(wire.dumps(page))
        if size > MAX_BYTES:
            raise UpstreamProtocolError(f"The upstream's {kind.noun} list is larger than 16 MiB.")
        found += _definitions(page, kind)
        cursor = page.get("nextCursor")
        if not isinstance(cursor, str):
            return found
        if cursor in seen:
            raise UpstreamProtocolError(f"The upstream's {kind.noun} list goes in circles.")
        seen.add(cursor)
        params = {"cursor": cursor}
    raise UpstreamProtocolError(f"The upstream's {kind.noun} list has more than {MAX_PAGES} pages.")


def _definitions(page: Message, kind: Kind) -> list[Message]:
    items = page.get(kind.member)
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and isinstance(item.get(kind.key), str) for item in items
    ):
        raise UpstreamProtocolError(f"The upstream's {kind.noun} list cannot be read.")
    return items
