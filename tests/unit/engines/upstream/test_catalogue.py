"""Lists of tools, page by page."""

import pytest

from agentxsuite.engines.upstream import UpstreamProtocolError, catalogue
from tests.servers.mcp_raw import stateless


def pages(answer):
    """A server whose n-th page is ``answer(n)``."""

    def call(asked):
        cursor = asked.message["params"].get("cursor", "0")
        asked.result(answer(int(cursor)))

    return stateless(call)


async def test_all_pages(upstreams, at, serve):
    """Tools beyond the first page would not exist."""

    def page(number):
        tools = [{"name": f"t{number}", "later": {"x": 1}}]
        return {"tools": tools, **({"nextCursor": str(number + 1)} if number < 4 else {})}

    server = await serve(pages(page))
    tools = await upstreams.list_tools(at(server), timeout=5)
    assert tools == [{"name": f"t{number}", "later": {"x": 1}} for number in range(5)]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (lambda _: {"tools": [], "nextCursor": "1"}, "circles"),
        (lambda n: {"tools": [], "nextCursor": str(n + 1)}, "100 pages"),
        (lambda _: {"tools": ["x" * 3_000_000], "nextCursor": "1"}, "cannot be read"),
        (lambda _: {"tools": [{"name": 1}]}, "cannot be read"),
        (lambda _: {}, "cannot be read"),
        (
            lambda n: {"tools": [{"name": "x" * 3_000_000}], "nextCursor": str(n + 1)},
            "16 MiB",
        ),
    ],
)
async def test_lists_beyond_reason(upstreams, at, serve, page, text):
    """A hostile list would hang the synchronisation or fill the memory."""
    server = await serve(pages(page))
    with pytest.raises(UpstreamProtocolError, match=text):
        await upstreams.list_tools(at(server), timeout=10)
    assert len(server.asked) <= catalogue.MAX_PAGES + 1
