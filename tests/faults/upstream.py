"""An MCP server whose one tool writes down which call it received, before it does anything else.

``python -m tests.faults.upstream --port 9000 --log received`` speaks the stateless revision
2026-07-28. What is written stays when the process is killed: the file is the evidence of what
really reached an upstream. The answer repeats the call's id and the credential that came with it.
"""

import argparse
import asyncio
import os
from typing import Any

import orjson

from benchmarks.asgi import App, Receive, Scope, Send, read, reply, serve
from benchmarks.upstream import CACHE, CAPABILITIES, STATELESS

RECEIVE = {
    "name": "receive",
    "description": "Notes the call and answers with its id after a while.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "call": {"type": "string", "maxLength": 200},
            "seconds": {"type": "number", "minimum": 0, "maximum": 60},
        },
        "required": ["call"],
        "additionalProperties": False,
    },
}
ANSWERS: dict[str, dict[str, Any]] = {
    "tools/list": {"tools": [RECEIVE], **CACHE},
    "server/discover": {
        "supportedVersions": [STATELESS],
        "capabilities": CAPABILITIES,
        "serverInfo": {"name": "receiver", "version": "1"},
        **CACHE,
    },
}


def receiver(log: int, delay: float) -> App:
    """The application; ``log`` is a file descriptor, ``delay`` in seconds where none is asked."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            return await reply(send, 405, b"")
        message = orjson.loads(await read(receive))
        if "id" not in message:
            return await reply(send, 202, b"")
        method, params = message["method"], message.get("params") or {}
        answer = {"jsonrpc": "2.0", "id": message["id"]}
        if method == "tools/call":
            credential = dict(scope["headers"]).get(b"authorization", b"").decode()
            answer["result"] = await call(params["arguments"], credential)
        elif method in ANSWERS:
            answer["result"] = {"resultType": "complete", **ANSWERS[method]}
        else:
            answer["error"] = {"code": -32601, "message": f"no method {method}"}
        return await reply(send, 200, orjson.dumps(answer))

    async def call(arguments: dict[str, Any], credential: str) -> dict[str, Any]:
        os.write(log, arguments["call"].encode() + b"\n")
        await asyncio.sleep(arguments.get("seconds", delay))  # how long the tool works
        content = [{"type": "text", "text": text} for text in (arguments["call"], credential)]
        return {"resultType": "complete", "content": content, "isError": False}

    return app


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--log", default="/dev/stdout")
    parser.add_argument("--delay", type=float, default=0.0)
    chosen = parser.parse_args()
    log = os.open(chosen.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    serve(receiver(log, chosen.delay), chosen.port)


if __name__ == "__main__":
    main()
