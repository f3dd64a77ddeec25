"""A program: an MCP server over Streamable HTTP, built with the SDK, that tells what happened.

``mcp_http`` starts it. Beside its tools it serves ``/log`` (headers of every request),
``/cancelled`` (answers once a call was cancelled) and ``/describe`` (changes ``echo``).
"""

import argparse
import asyncio
import socket
from typing import Annotated, Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    InputRequiredResult,
)
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse

SPOKEN = ("/mcp", "/sse", "/messages/")
MODERN = (b"mcp-protocol-version", b"2026-07-28")

server = MCPServer("tests", version="1.2.3")
requests: list[dict[str, str]] = []
cancelled = asyncio.Event()


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
        cancelled.set()
        raise
    return "slept"


@server.tool()
async def chatty(context: Context[Any, Any]) -> str:
    await context.report_progress(1, 2)
    return "done"


@server.tool()
async def counting(steps: int, context: Context[Any, Any]) -> str:
    for step in range(1, steps + 1):
        await context.report_progress(step, steps, f"step {step}")
    return "counted"


@server.tool()
async def talking(context: Context[Any, Any]) -> str:
    for level in ("debug", "info", "error"):
        await context.log(level, {"said": level}, logger_name="talking")
    return "talked"


@server.tool()
async def booking(day: str, context: Context[Any, Any]) -> str | InputRequiredResult:
    answers = context.input_responses
    if answers is None:
        asked = {"name": {"type": "string"}}
        form = ElicitRequestFormParams(
            message=f"Who comes on {day}?", requested_schema={"type": "object", "properties": asked}
        )
        page = ElicitRequestURLParams(message="Pay first", url="https://pay.example/1")
        wanted = {"who": ElicitRequest(params=form), "pay": ElicitRequest(params=page)}
        return InputRequiredResult(input_requests=wanted, request_state=f"for {day}")
    who = answers["who"]
    told = who.content["name"] if who.action == "accept" else who.action
    return f"{told}, {answers['pay'].action}, {context.request_state}"


@server.tool()
async def routed(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
) -> str:
    return region


def offer() -> None:
    """Offer a resource and a prompt as well."""

    @server.resource("file:///notes/readme.md")
    async def readme() -> str:
        return "hello"

    @server.prompt()
    async def greet() -> str:
        return "Say hello."


@server.custom_route("/log", methods=["GET"])
async def log(request: Request) -> JSONResponse:
    return JSONResponse(requests)


@server.custom_route("/cancelled", methods=["GET"])
async def was_cancelled(request: Request) -> JSONResponse:
    await cancelled.wait()
    return JSONResponse({})


@server.custom_route("/describe", methods=["GET"])
async def describe(request: Request) -> JSONResponse:
    server.remove_tool("echo")
    server.add_tool(echo, description=request.query_params["text"])
    return JSONResponse({})


def application(*, sessions: bool, stream: bool, handshake: bool, sse: bool) -> Any:
    """The ASGI application, with the requests that speak MCP written down."""
    app = server.streamable_http_app(json_response=not stream, stateless_http=not sessions)
    if sse:
        app = server.sse_app()

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(SPOKEN):
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            requests.append({":method": scope["method"], **headers})
            if handshake:  # so behaves a server that has never heard of the new era
                scope["headers"] = [pair for pair in scope["headers"] if pair != MODERN]
        await app(scope, receive, send)

    return noting


def main() -> None:
    """Serve on an inherited socket until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("socket", type=int)
    parser.add_argument("--handshake", action="store_true", help="serve the old era only")
    parser.add_argument("--sessions", action="store_true", help="mint session ids")
    parser.add_argument("--stream", action="store_true", help="answer by event streams")
    parser.add_argument("--offers", action="store_true", help="have a resource and a prompt")
    parser.add_argument("--sse", action="store_true", help="by the transport of 2024-11-05")
    chosen = parser.parse_args()
    if chosen.offers:
        offer()
    kinds = {"sessions": chosen.sessions, "stream": chosen.stream, "handshake": chosen.handshake}
    app = application(**kinds, sse=chosen.sse)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    asyncio.run(uvicorn.Server(config).serve(sockets=[socket.socket(fileno=chosen.socket)]))


if __name__ == "__main__":
    main()
