"""The upstream of a load with large servers beside it: ``python -m tests.faults.catalogue``.

``/mcp`` is `tests.faults.upstream`. ``/many/<tools>/<name>`` lists so many tools, each with a
schema of about a kilobyte, as servers have that were generated from large APIs; every time it is
asked all its descriptions have changed.
"""

import argparse
import os
from collections import Counter
from typing import Any

import orjson

from benchmarks.asgi import App, Receive, Scope, Send, read, reply, serve
from benchmarks.upstream import CACHE
from tests.faults.upstream import ANSWERS, receiver

FIELDS = ("project", "branch", "path", "title", "body", "assignee", "labels", "since", "cursor")
ABOUT = "The {field} of the record, as it is spelled in the address of its page; see the manual."


def definition(number: int, edition: int) -> dict[str, Any]:
    """One tool, as it is in one edition."""
    properties = {
        field: {"type": "string", "description": ABOUT.format(field=field), "maxLength": 200}
        for field in FIELDS
    }
    return {
        "name": f"record_{number:04}_update",
        "description": f"Updates records of kind {number} and returns them (edition {edition}).",
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": FIELDS[:2],
            "additionalProperties": False,
        },
        "annotations": {"title": f"Update records of kind {number}", "destructiveHint": False},
    }


def catalogue(beside: App) -> App:
    """The application; what is no large server is answered by ``beside``."""
    editions: Counter[str] = Counter()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not path.startswith("/many/"):
            return await beside(scope, receive, send)
        message = orjson.loads(await read(receive))
        result = ANSWERS.get(message["method"], {})
        if message["method"] == "tools/list":
            editions[path] += 1
            tools = range(int(path.split("/")[2]))
            result = {"tools": [definition(number, editions[path]) for number in tools], **CACHE}
        answer = {"resultType": "complete", **result}
        body = orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer})
        return await reply(send, 200, body)

    return app


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--log", default="/dev/stdout")
    parser.add_argument("--delay", type=float, default=0.0)
    chosen = parser.parse_args()
    log = os.open(chosen.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    serve(catalogue(receiver(log, chosen.delay)), chosen.port)


if __name__ == "__main__":
    main()
