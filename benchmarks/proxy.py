"""The yardstick: a reverse proxy on uvicorn that forwards a request and checks nothing at all.

What the governed path costs is told as a ratio to this. Run it alone:
``python -m benchmarks.proxy --port 9001 --upstream http://127.0.0.1:9000/mcp``.
"""

import argparse
from urllib.parse import urlsplit

from benchmarks.asgi import Receive, Scope, Send, read, reply, serve
from benchmarks.http1 import Answer, Connection, connect

NOT_FORWARDED = frozenset((b"host", b"connection", b"content-length", b"transfer-encoding"))


class Proxy:
    """Forwards every POST to one upstream over idle keep-alive connections, newest first."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = upstream
        self._head = f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode()
        self._idle: list[Connection] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = await read(receive)
        kept = [
            b"%b: %b\r\n" % header for header in scope["headers"] if header[0] not in NOT_FORWARDED
        ]
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        answer = await self._exchange(b"".join((self._head, *kept, length, body)))
        await reply(send, answer.status, answer.body, answer.headers.get(b"content-type", b""))

    async def _exchange(self, request: bytes) -> Answer:
        connection = await self._connection()
        answer = await connection.exchange(request)
        if not connection.closed:
            self._idle.append(connection)
        return answer

    async def _connection(self) -> Connection:
        while self._idle:
            if not (connection := self._idle.pop()).closed:
                return connection
        return await connect(self._upstream)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=9001)
    options.add_argument("--upstream", default="http://127.0.0.1:9000/mcp")
    chosen = options.parse_args()
    serve(Proxy(chosen.upstream), chosen.port)
