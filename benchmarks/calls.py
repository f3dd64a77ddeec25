"""The calls that are measured: the bytes of each request, and whether its answer is the right one.

Every request carries a number that no other has, as the JSON-RPC id and in the text to echo, so
that a server that mixes up answers shows as wrong, not as fast.
"""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from benchmarks.http1 import Answer, Connection
from benchmarks.upstream import STATELESS, VERSION_KEY

FIRST = 1_000_000_000  # every number from here on has the same length, so Content-Length holds
OLDER = "2025-11-25"
TEXT_LENGTH = 64
CLIENT = {"name": "benchmarks", "version": "1"}
ENVELOPE = {
    VERSION_KEY: STATELESS,
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}


class WrongAnswerError(Exception):
    """An answer that is not the one to the call."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a call goes, and the credential and further header lines that it carries."""

    url: str
    token: str | None = None
    headers: tuple[str, ...] = ()

    def having(self, *headers: str) -> "Address":
        """This address with more header lines."""
        return replace(self, headers=(*self.headers, *headers))

    def post(self, body: Any) -> bytes:
        """The bytes of a POST of ``body`` as JSON."""
        data = orjson.dumps(body)
        lines = (
            "Content-Type: application/json",
            "Accept: application/json, text/event-stream",
            f"Content-Length: {len(data)}",
        )
        return self._request(f"POST {urlsplit(self.url).path or '/'}", *lines) + data

    def get(self, path: str) -> bytes:
        """The bytes of a GET of a path on the same server."""
        return self._request(f"GET {path}", "Accept: application/json")

    def _request(self, line: str, *headers: str) -> bytes:
        lines = [f"{line} HTTP/1.1", f"Host: {urlsplit(self.url).netloc}", *headers, *self.headers]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        return "\r\n".join((*lines, "", "")).encode()


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call, written as its first one."""

    address: Address
    body: dict[str, Any]
    status: int = 200
    opens: bool = False  # with the handshake of the revisions before 2026-07-28
    keyed: bool = False  # under an Idempotency-Key that no other call has

    async def open(self, connection: Connection) -> "Template":
        """What to send on this connection; raises WrongAnswerError where the handshake fails."""
        address = await shake_hands(connection, self.address) if self.opens else self.address
        if self.keyed:
            address = address.having(f"Idempotency-Key: {uuid4()}-{FIRST}")
        request = address.post(self.body)
        return Template(tuple(request.split(str(FIRST).encode())), self.status)


@dataclass(frozen=True, slots=True)
class Template:
    """The bytes of a request around its number, and the status that answers it."""

    parts: tuple[bytes, ...]
    status: int

    def request(self, number: int) -> bytes:
        """The bytes of the call with this number."""
        return str(number).encode().join(self.parts)

    def check(self, number: int, answer: Answer) -> None:
        """Raises WrongAnswerError unless ``answer`` is the one to the call with this number."""
        if answer.status != self.status:
            raise WrongAnswerError(f"status {answer.status}: {answer.body[:300]!r}")
        try:
            document = orjson.loads(answer.body)
            text = document["result"]["content"][0]["text"]
        except (ValueError, LookupError, TypeError) as error:
            raise WrongAnswerError(f"no result in {answer.body[:300]!r}") from error
        if text != text_of(number) or document.get("id", number) != number:
            raise WrongAnswerError(f"the answer to another call: {answer.body[:300]!r}")


def stateless(address: Address, tool: str = "echo") -> Call:
    """An MCP ``tools/call`` as of 2026-07-28: no handshake, every request describes itself."""
    lines = (f"MCP-Protocol-Version: {STATELESS}", "Mcp-Method: tools/call", f"Mcp-Name: {tool}")
    params = {"name": tool, "arguments": {"text": text_of(FIRST)}, "_meta": ENVELOPE}
    return Call(address.having(*lines), rpc("tools/call", params))


def older(address: Address, tool: str = "echo") -> Call:
    """An MCP ``tools/call`` as of 2025-11-25: after ``initialize``, once a connection."""
    params = {"name": tool, "arguments": {"text": text_of(FIRST)}}
    return Call(address, rpc("tools/call", params), opens=True)


def rest(address: Address, agent: str, tool: str) -> Call:
    """A ``POST /api/v1/orgs/{org}/runs/execute/``, answered by 201."""
    body = {"agent": agent, "tool": tool, "input": {"text": text_of(FIRST)}}
    return Call(address, body, status=201)


async def shake_hands(connection: Connection, address: Address) -> Address:
    """Go through ``initialize``; the address that later requests have, with its session if any."""
    params = {"protocolVersion": OLDER, "capabilities": {}, "clientInfo": CLIENT}
    hello = await connection.exchange(address.post(rpc("initialize", params)))
    if hello.status != 200:
        raise WrongAnswerError(f"initialize: status {hello.status}: {hello.body[:300]!r}")
    later = address.having(f"MCP-Protocol-Version: {OLDER}")
    if session := hello.headers.get(b"mcp-session-id"):
        later = later.having(f"Mcp-Session-Id: {session.decode()}")
    await connection.exchange(later.post({"jsonrpc": "2.0", "method": "notifications/initialized"}))
    return later


def rpc(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The JSON-RPC request with the first number."""
    return {"jsonrpc": "2.0", "id": FIRST, "method": method, "params": params}


def text_of(number: int) -> str:
    """The text that the call with this number has echoed."""
    return f"{number} ".ljust(TEXT_LENGTH, "x")
