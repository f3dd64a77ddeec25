"""The other yardstick: a proxy made of nothing but the SDK, its server before its client.

It decides nothing and records nothing. Run it alone:
``python -m benchmarks.sdk_proxy --port 9002 --upstream http://127.0.0.1:9000/mcp``.
"""

import argparse
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from mcp.client import Client
from mcp.server.lowlevel import Server
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult


def proxy(upstream: str) -> Server[Client]:
    """A server that hands every request to one client, which stays connected."""

    @asynccontextmanager
    async def connected(_server: Server[Client]) -> AsyncIterator[Client]:
        async with Client(upstream, mode="2026-07-28") as client:
            yield client

    async def list_tools(context: Any, _params: Any) -> ListToolsResult:
        return await context.lifespan_context.list_tools()

    async def call_tool(context: Any, params: CallToolRequestParams) -> CallToolResult:
        return await context.lifespan_context.call_tool(params.name, params.arguments)

    return Server(
        "proxy",
        lifespan=connected,
        get_tool_input_schema=lambda _name: {"type": "object"},
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def main() -> None:
    """Serve until told to stop."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=9002)
    options.add_argument("--upstream", default="http://127.0.0.1:9000/mcp")
    chosen = options.parse_args()
    logging.disable(logging.INFO)
    application = proxy(chosen.upstream).streamable_http_app(json_response=True)
    uvicorn.run(application, port=chosen.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
