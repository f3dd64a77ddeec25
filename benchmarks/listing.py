"""Measure ``tools/list`` with a thousand tools: a page again and again, and page after page.

``python -m benchmarks.listing`` takes about half a minute and prints a table for RESULTS.md.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import orjson

from benchmarks import calls, gateway, report, storage
from benchmarks.calls import Address
from benchmarks.http1 import Connection, connect
from benchmarks.processes import end_on_signals, free_port, module, running

TOOLS = 1_000
WALKS = 30  # through all pages, and lists of which only the first page is wanted


def main() -> None:
    """Measure and print."""
    end_on_signals()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="agentxsuite-bench-")))
        port = free_port()
        upstream = module("benchmarks.upstream", "--port", str(port))
        stack.enter_context(running(upstream, port, folder / "upstream.log"))
        kind = storage.KINDS[0]
        settings = stack.enter_context(kind.started(folder))
        url = f"http://127.0.0.1:{port}/mcp"
        home = folder / "home"
        installation = stack.enter_context(gateway.installed(home, url, settings))
        tenant = module("benchmarks.many_tools", installation.organization, str(TOOLS))
        gateway.run(tenant, gateway.settings_of(home, url, settings, port))
        print(asyncio.run(table(kind.name, installation)))


async def table(storage_name: str, installation: gateway.Installation) -> str:
    """The figures, in milliseconds."""
    path = f"/mcp/{installation.organization}/{installation.environment}/"
    address = Address(installation.url + path, installation.token)
    connection = await connect(address.url)
    first = [await first_page(connection, address, f"first {number}") for number in range(WALKS)]
    walks = [await walk(connection, address) for _ in range(WALKS)]
    pages = [took for taken in walks for took in taken[1:]]
    figures = {
        "first page, judged anew": first,
        "a page of a list judged a moment ago": pages,
        f"all {TOOLS:,} tools, page by page": [sum(taken) for taken in walks],
    }
    rows = [
        [name, f"{median(taken) * 1000:.2f}", f"{min(taken) * 1000:.2f} to {max(taken) * 1000:.2f}"]
        for name, taken in figures.items()
    ]
    return report.table((f"tools/list on {storage_name}", "ms", "spread"), rows)


async def first_page(connection: Connection, address: Address, client: str) -> float:
    """How long the first page takes for a client that has not asked before."""
    async for took in turned(connection, address.having(f"User-Agent: {client}")):
        return took
    raise calls.WrongAnswerError("no page")


async def walk(connection: Connection, address: Address) -> list[float]:
    """How long each page takes."""
    return [took async for took in turned(connection, address)]


async def turned(connection: Connection, address: Address) -> AsyncIterator[float]:
    """Turn the pages; raises WrongAnswerError where tools are missing."""
    later = address.having(f"MCP-Protocol-Version: {calls.OLDER}")
    names: set[str] = set()
    params: dict[str, str] = {}
    while True:
        begun = perf_counter()
        answer = await connection.exchange(later.post(calls.rpc("tools/list", params)))
        took = perf_counter() - begun
        result = orjson.loads(answer.body)["result"]
        names |= {tool["name"] for tool in result["tools"]}
        yield took
        if "nextCursor" not in result:
            break
        params = {"cursor": result["nextCursor"]}
    if len(names) != TOOLS:
        raise calls.WrongAnswerError(f"{len(names)} tools: {json.dumps(sorted(names)[:3])}")


if __name__ == "__main__":
    main()
