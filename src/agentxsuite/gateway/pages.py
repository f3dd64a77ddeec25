"""Web pages as clients: what a browser has to be told before it lets one talk to us (Fetch, CORS).

Only pages of hosts that are answered come this far, the others are refused by their Origin. They
show a token as every client does: browsers are not told to send what they hold themselves, so
neither a cookie nor a client certificate speaks for a page.
"""

import re
from typing import Final

from agentxsuite.gateway.http import Headers, Message, Request, Send, reply

OURS: Final = re.compile(
    r"accept|authorization|content-type|idempotency-key|last-event-id|trace(parent|state)|mcp-[a-z0-9-]+"
)
READ: Final = b"www-authenticate, retry-after, idempotency-replayed"
LASTING: Final = b"600"  # seconds


def is_preflight(request: Request) -> bool:
    """Whether a browser asks what a page may send."""
    return request.method == "OPTIONS" and b"origin" in request.headers


def readable(request: Request, send: Send) -> Send:
    """What sends an answer that the page which asked for it may read."""
    origin = request.headers.get(b"origin")
    if origin is None:
        return send
    lines: Headers = (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", READ),
        (b"vary", b"Origin"),
    )

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *lines]
        await send(message)

    return sending


async def preflight(request: Request, method: str, send: Send) -> None:
    """Say what a page may send, of what it wants to."""
    wanted = (request.text(b"access-control-request-headers") or "").lower().split(",")
    allowed = [name for each in wanted if OURS.fullmatch(name := each.strip())]
    lines: Headers = (
        (b"access-control-allow-methods", method.encode()),
        (b"access-control-allow-headers", ", ".join(allowed).encode()),
        (b"access-control-max-age", LASTING),
    )
    await reply(send, 200, b"", headers=lines)
