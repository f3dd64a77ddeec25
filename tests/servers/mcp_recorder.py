"""Servers of every era and transport at one address, which keep all that was ever sent to them."""

import json
from collections.abc import Awaitable
from typing import Any

from tests.servers.mcp_offers import Shop
from tests.servers.mcp_raw import Asked
from tests.servers.mcp_sse import chunk

SAY = {"name": "say", "inputSchema": {"type": "object"}}


class Recorder(Shop):
    """`/modern...` and `/old...` over Streamable HTTP, `/sse` over HTTP+SSE, `/token` for OAuth."""

    def __init__(self) -> None:
        super().__init__()
        self.answers |= {
            "tools/list": {"tools": [SAY]},
            "tools/call": {"content": [{"type": "text", "text": "said"}]},
        }
        self.streams: list[Asked] = []

    def answer(self, asked: Asked) -> Awaitable[None] | None:
        """Answer one request."""
        if asked.path == "/token":
            lent = {"access_token": "lent-access", "token_type": "bearer"}
            asked.reply(json.dumps(lent).encode())
        elif asked.method == "GET":
            return self.open(asked)
        elif asked.path == "/messages":
            asked.reply(b"", "202 Accepted")
            self.on_stream(asked)
        else:
            self.modern = asked.path.startswith("/modern")
            super().answer(asked)
        return None

    async def open(self, asked: Asked) -> None:
        """Begin the stream; it lasts until the client hangs up."""
        if asked.path != "/sse":
            asked.reply(b"", "405 Method Not Allowed")
            return
        self.streams.append(asked)
        asked.stream(end=False)
        asked.send(chunk(b"event: endpoint\ndata: /messages\n\n"))
        await asked.gone()

    def on_stream(self, asked: Asked) -> None:
        """Answer a request by the stream."""
        method, number = asked.message.get("method", ""), asked.message.get("id")
        result: Any = self.answers.get(method)
        if method == "initialize":
            info = {"name": "old", "version": "1"}
            result = {"protocolVersion": "2024-11-05", "serverInfo": info}
            result |= {"capabilities": self.capabilities}
        if number is not None:
            told = {"jsonrpc": "2.0", "id": number, "result": result}
            self.streams[-1].event(json.dumps(told).encode())
