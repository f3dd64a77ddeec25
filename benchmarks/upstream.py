"""An MCP server with one tool, ``echo``, too fast to be what a figure is about.

Speaks the stateless revision 2026-07-28 and, where the request does not name it, the older ones
that open with ``initialize``. Run it alone: ``python -m benchmarks.upstream --port 9000``.
"""

import argparse
from typing import Any

import orjson

from benchmarks.asgi import Receive, Scope, Send, read, reply, serve

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
STATELESS = "2026-07-28"
OLDER = ("2025-11-25", "2025-06-18", "2025-03-26")
SERVER = {"name": "echo", "version": "1"}
CAPABILITIES = {"tools": {}}
ECHO = {
    "name": "echo",
    "description": "Answers with the text it is given.",
    "inputSchema": {
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": 4096}},
        "required": ["text"],
        "additionalProperties": False,
    },
}
CACHE = {"ttlMs": 60_000, "cacheScope": "public"}


class RpcError(Exception):
    """A JSON-RPC error to answer with."""

    def __init__(self, code: int, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.answer = {"code": code, "message": message}
        self.status = status


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request."""
    if scope["method"] != "POST":
        return await reply(send, 405, b"")
    message = orjson.loads(await read(receive))
    if "id" not in message:
        return await reply(send, 202, b"")
    status, answer = 200, {"jsonrpc": "2.0", "id": message["id"]}
    try:
        answer["result"] = result_of(message["method"], message.get("params") or {})
    except RpcError as error:
        status, answer["error"] = error.status, error.answer
    return await reply(send, status, orjson.dumps(answer))


def result_of(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of one JSON-RPC request, in the era that it speaks."""
    version = params.get("_meta", {}).get(VERSION_KEY)
    if version is None:
        return older_result(method, params)
    if version != STATELESS:
        raise RpcError(-32022, f"supported: {STATELESS}", 400)
    return {"resultType": "complete", **stateless_result(method, params)}


def stateless_result(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """A result of revision 2026-07-28, but for its type."""
    if method == "tools/call":
        return call(params)
    if method == "tools/list":
        return {"tools": [ECHO], **CACHE}
    if method == "server/discover":
        return {
            "supportedVersions": [STATELESS],
            "capabilities": CAPABILITIES,
            "serverInfo": SERVER,
            **CACHE,
        }
    raise RpcError(-32601, f"no method {method}", 404)


def older_result(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """A result of the revisions that open with ``initialize``; no session is kept."""
    if method == "tools/call":
        return call(params)
    if method == "tools/list":
        return {"tools": [ECHO]}
    if method == "ping":
        return {}
    if method == "initialize":
        asked = params.get("protocolVersion")
        version = asked if asked in OLDER else OLDER[0]
        return {"protocolVersion": version, "capabilities": CAPABILITIES, "serverInfo": SERVER}
    raise RpcError(-32601, f"no method {method}")


def call(params: dict[str, Any]) -> dict[str, Any]:
    """Run the tool."""
    if params.get("name") != "echo":
        raise RpcError(-32602, f"no tool {params.get('name')}")
    text = params.get("arguments", {}).get("text")
    if not isinstance(text, str):
        raise RpcError(-32602, "text must be a string")
    return {"content": [{"type": "text", "text": text}], "isError": False}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=9000)
    serve(app, options.parse_args().port)
