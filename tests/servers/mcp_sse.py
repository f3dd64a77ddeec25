"""A server of the transport of 2024-11-05, written by hand: one stream, and POSTs that it takes."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.servers.mcp_raw import Asked

Say = Callable[["Old", Asked], Awaitable[None] | None]
INFO = {"name": "old", "version": "0.1"}


class Old:
    """A script for `RawServer` that leaves everything but the handshake to ``say``.

    ``where`` is told as the address of POSTs; ``capabilities`` in the handshake.
    """

    def __init__(self, say: Say, where: bytes = b"/messages?s=1", **capabilities: Any) -> None:
        self.say, self.where, self.capabilities = say, where, capabilities
        self.streams: list[Asked] = []

    def __call__(self, asked: Asked) -> Awaitable[None] | None:
        if asked.method == "GET":
            return self.open(asked)
        method = asked.message.get("method")
        if method == "initialize":
            asked.reply(b"", "202 Accepted")
            result = {"protocolVersion": "2024-11-05", "serverInfo": INFO}
            self.result(asked, result | {"capabilities": self.capabilities})
            return None
        if method == "notifications/initialized":
            asked.reply(b"", "202 Accepted")
            return None
        return self.say(self, asked)

    async def open(self, asked: Asked) -> None:
        """Begin the stream, which lasts until the client hangs up."""
        self.streams.append(asked)
        asked.stream(end=False)
        asked.send(chunk(b"event: endpoint\r\ndata: " + self.where + b"\r\n\r\n"))
        await asked.gone()

    def result(self, asked: Asked, result: Any) -> None:
        """Answer a request on the stream."""
        self.tell({"jsonrpc": "2.0", "id": asked.message["id"], "result": result})

    def tell(self, message: Any) -> None:
        """Say something on the stream that was opened last."""
        self.streams[-1].event(json.dumps(message).encode())

    def break_off(self) -> None:
        """Let the stream die."""
        self.streams[-1].writer.transport.abort()


def chunk(data: bytes) -> bytes:
    """A part of a body in chunks (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def accept(old: Old, asked: Asked) -> None:
    """Take a request and answer it with its own method."""
    asked.reply(b"", "202 Accepted")
    if "id" in asked.message and "method" in asked.message:
        old.result(asked, {"echo": asked.message["method"]})
