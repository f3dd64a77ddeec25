"""Applications for worker processes of tests: two tell their process, the other never starts.

As a program it supervises workers whose start and answers are held from outside: its arguments are
the port, that of the gate at which each worker asks to start, and the seconds it has for that.
"""

import asyncio
import os
import sys

import uvicorn

from agentxsuite.project import supervisor

GATE = "GATE_OF_TESTS"


async def process(scope, receive, send):
    """Answer with the number of the process."""
    if scope["type"] == "lifespan":
        return await live(receive, send)
    body = str(os.getpid()).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    return await send({"type": "http.response.body", "body": body})


async def live(receive, send):
    for moment in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{moment}.complete"})


async def broken(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "broken on purpose"})


async def gated(scope, receive, send):
    """Start when let through the gate; begin to answer, and end with the end of the question."""
    if scope["type"] == "lifespan":
        return await live_if_let(receive, send)
    begun = str(os.getpid()).encode() + b"\r\n"
    headers = [(b"content-length", str(len(begun) + 2).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": begun, "more_body": True})
    while (heard := await receive()).get("more_body"):
        """More comes."""
    if heard["type"] == "http.request":
        await send({"type": "http.response.body", "body": b"ok"})
    return None


async def live_if_let(receive, send):
    """The gate lets through who asks there by hanging up; any word means no."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ[GATE]))
    refused = await reader.read()
    writer.close()
    await (broken(None, receive, send) if refused else live(receive, send))


def main(port, gate, start):
    os.environ[GATE] = gate
    supervisor.START = float(start)
    application = "tests.unit.project.answering:gated"
    config = uvicorn.Config(application, port=int(port), workers=2, log_config=None)
    return supervisor.Supervisor(config).run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
