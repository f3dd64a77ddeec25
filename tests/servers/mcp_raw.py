"""An MCP server written byte by byte, so that a test can break any rule of HTTP or JSON-RPC."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

STATELESS = "2026-07-28"
DISCOVERY = {"supportedVersions": [STATELESS], "capabilities": {}}


@dataclass
class Asked:
    """One request as it came in, and the way back."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    message: dict[str, Any] = field(default_factory=dict)

    async def gone(self) -> None:
        """Wait until the client hangs up."""
        await self.reader.read()

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    def reply(self, body: bytes, status: str = "200 OK", **headers: str) -> None:
        """A whole answer; keyword names become headers with dashes."""
        lines = {"content-type": "application/json", "content-length": str(len(body))}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode(), body)

    def result(self, result: Any, **headers: str) -> None:
        self.reply(self.answer(result=result), **headers)

    def error(self, code: int, message: str = "no", status: str = "200 OK", **more: Any) -> None:
        error = {"code": code, "message": message, **more}
        self.reply(self.answer(error=error), status)

    def answer(self, **parts: Any) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": self.message.get("id"), **parts}).encode()

    def stream(self, *events: bytes, end: bool = True) -> None:
        """An event stream in chunks."""
        self.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
        self.send(b"transfer-encoding: chunked\r\n\r\n")
        for event in events:
            self.event(event)
        if end:
            self.send(b"0\r\n\r\n")

    def event(self, data: bytes) -> None:
        event = b"event: message\r\ndata: " + data + b"\r\n\r\n"
        self.send(b"%x\r\n" % len(event), event, b"\r\n")


Script = Callable[[Asked], Awaitable[None] | None]


class RawServer:
    """Serves whatever ``script`` does with each request; counts what it sees."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self.asked: list[Asked] = []
        self.connections = 0
        self._arrivals = asyncio.Semaphore(0)
        self._handlers: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def open(self) -> int:
        return len(self._writers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def methods(self) -> list[str]:
        return [asked.message.get("method", asked.method) for asked in self.asked]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def arrived(self, count: int = 1) -> None:
        """Wait for so many more requests."""
        async with asyncio.timeout(5):
            for _ in range(count):
                await self._arrivals.acquire()

    async def all_closed(self) -> None:
        """Wait until every client has hung up."""
        async with asyncio.timeout(5):
            await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._handlers.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            # A handler that the end of the test cancels has nothing to say about it.
            with contextlib.suppress(
                ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
            ):
                while True:
                    asked = await _read(reader, writer)
                    self.asked.append(asked)
                    self._arrivals.release()
                    done = self._script(asked)
                    if done is not None:
                        await done
        finally:
            self._handlers.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head.strip().split("\r\n")
    method, path, _ = start.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    message = json.loads(body) if body.startswith(b"{") else {}
    return Asked(method, path, headers, body, reader, writer, message)


def stateless(call: Script) -> Script:
    """A server of the new era that leaves everything but its discovery to ``call``."""

    def script(asked: Asked) -> Awaitable[None] | None:
        if asked.message.get("method") == "server/discover":
            asked.result(DISCOVERY)
            return None
        return call(asked)

    return script


def handshake(call: Script, session: str | None = None) -> Script:
    """A server of the old era that leaves everything but its handshake to ``call``."""

    def script(asked: Asked) -> Awaitable[None] | None:
        method = asked.message.get("method")
        if method == "server/discover":
            asked.error(-32601, status="400 Bad Request")
        elif method == "initialize":
            info = {"name": "old", "version": "0.1"}
            result = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": info}
            asked.result(result, **({"mcp_session_id": session} if session else {}))
        elif method == "notifications/initialized":
            asked.reply(b"", "202 Accepted")
        else:
            return call(asked)
        return None

    return script
