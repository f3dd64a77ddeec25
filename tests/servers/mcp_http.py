"""A real MCP server over Streamable HTTP, built with the SDK, that tells what happened to it.

Run as a program with the number of an inherited listening socket. Beside the tools it serves
``/log`` (headers of every request, cancelled calls), ``/cancelled`` (answers once a call was
cancelled) and ``/describe`` (changes the description of the tool ``echo``).
"""

import argparse
import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Annotated, Any

CALLED: list[dict[str, str]] = []
CANCELLED: list[str] = []


@contextlib.contextmanager
def running(*flags: str) -> Iterator[str]:
    """Run the server in a process of its own; yields the address of its endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        command = [sys.executable, "-m", "tests.servers.mcp_http", str(number), *flags]
        process = subprocess.Popen(command, pass_fds=[number])
        port = listening.getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait()


async def told(endpoint: str, path: str) -> Any:
    """What the server says at one of its own addresses."""
    address = endpoint.removesuffix("/mcp") + path

    def read() -> Any:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  our own server
            return json.load(answer)

    return await asyncio.to_thread(read)


def main() -> None:
    """Serve until told to stop."""
    import uvicorn  # noqa: PLC0415  only the child process needs the heavy ones
    from mcp.server.mcpserver import Context, MCPServer  # noqa: PLC0415
    from pydantic import Field  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import JSONResponse  # noqa: PLC0415

    parser = argparse.ArgumentParser()
    parser.add_argument("socket", type=int)
    parser.add_argument("--handshake", action="store_true", help="serve the old era only")
    parser.add_argument("--sessions", action="store_true", help="mint session ids")
    parser.add_argument("--stream", action="store_true", help="answer by event streams")
    options = parser.parse_args()

    server = MCPServer("tests", version="1.2.3")
    gone = asyncio.Event()

    @server.tool(description="Return the text.")
    async def echo(text: str) -> str:
        return text

    @server.tool()
    async def add(a: int, b: int) -> int:
        return a + b

    @server.tool()
    async def fail() -> str:
        raise ValueError("broken on purpose")

    @server.tool()
    async def slow(seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            CANCELLED.append("slow")
            gone.set()
            raise
        return "slept"

    @server.tool()
    async def chatty(context: Context[Any, Any]) -> str:
        await context.report_progress(1, 2)
        return "done"

    @server.tool()
    async def routed(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
    ) -> str:
        return region

    @server.custom_route("/log", methods=["GET"])
    async def log(request: Request) -> JSONResponse:
        return JSONResponse({"requests": CALLED, "cancelled": CANCELLED})

    @server.custom_route("/cancelled", methods=["GET"])
    async def cancelled(request: Request) -> JSONResponse:
        await gone.wait()
        return JSONResponse(CANCELLED)

    @server.custom_route("/describe", methods=["GET"])
    async def describe(request: Request) -> JSONResponse:
        server.remove_tool("echo")
        server.add_tool(echo, description=request.query_params["text"])
        return JSONResponse({})

    app = server.streamable_http_app(
        json_response=not options.stream, stateless_http=not options.sessions
    )

    async def logging(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/mcp":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            CALLED.append({":method": scope["method"], **headers})
            if options.handshake:  # so does a server behave that has never heard of it
                modern = (b"mcp-protocol-version", b"2026-07-28")
                scope["headers"] = [pair for pair in scope["headers"] if pair != modern]
        await app(scope, receive, send)

    config = uvicorn.Config(logging, log_level="warning", timeout_graceful_shutdown=1)
    listening = socket.socket(fileno=options.socket)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    main()
