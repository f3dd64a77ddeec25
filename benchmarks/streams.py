"""An open ``subscriptions/listen``: its messages, one by one."""

import asyncio
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from benchmarks import calls
from benchmarks.calls import ENVELOPE, Address, WrongAnswerError
from benchmarks.upstream import STATELESS

METHOD = "subscriptions/listen"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
LAST_CHUNK = b"0\r\n"


class Stream:
    """One client that listens, on a connection of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, address: Address, *wanted: str) -> Self:
        """Listen for kinds of changes; raises WrongAnswerError where that is refused."""
        parts = urlsplit(address.url)
        stream = cls(*await asyncio.open_connection(parts.hostname, parts.port, limit=2**14))
        asked = {"notifications": dict.fromkeys(wanted, True), "_meta": ENVELOPE}
        lines = (f"MCP-Protocol-Version: {STATELESS}", f"Mcp-Method: {METHOD}")
        stream._writer.write(address.having(*lines).post(calls.rpc(METHOD, asked)))
        status = await stream._reader.readline()
        told = await stream.next() if b" 200 " in status else None
        if told is None or told.get("method") != ACKNOWLEDGED:
            raise WrongAnswerError(f"no stream: {status!r} {told}")
        return stream

    async def next(self) -> dict[str, Any] | None:
        """The next message; None when the stream has ended."""
        while (line := await self._reader.readline()) not in (b"", LAST_CHUNK):
            if line.startswith(b"data: "):
                message: dict[str, Any] = orjson.loads(line.removeprefix(b"data: "))
                return message
        return None

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()
