"""Applications for worker processes of tests: one tells its process, the other never starts."""

import os


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
