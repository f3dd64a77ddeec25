"""The SDK's own client before the gateway, and what it was told meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from agentxsuite.gateway.jsonrpc import META, MODERN

PATIENCE = 10  # seconds: what takes longer never comes


@dataclass
class Told:
    """What a client heard: steps of progress, and log messages by level and content."""

    progress: list[tuple[float, float | None, str | None]] = field(default_factory=list)
    logs: list[tuple[str, Any]] = field(default_factory=list)

    async def step(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append((progress, total, message))

    async def log(self, message: Any) -> None:
        self.logs.append((message.level, message.data))


@asynccontextmanager
async def talking(
    client: httpx2.AsyncClient, world: Any, mode: str = "auto", **options: Any
) -> AsyncIterator[Client]:
    """The client, connected and negotiated; `path` may stand among its options."""
    path = options.pop("path", world.mcp)
    async with httpx2.AsyncClient(headers=world.bearer, timeout=30) as carrier:
        transport = streamable_http_client(str(client.base_url.join(path)), http_client=carrier)
        async with Client(transport, mode=mode, **options) as connected:
            yield connected


class Listening:
    """A listen written by hand: its messages one by one, and its end."""

    def __init__(self, client: httpx2.AsyncClient, world: Any, token: str = "", **wanted: Any):
        self._client, self._path = client, world.mcp
        self._token = token or world.token
        self._wanted = wanted or {"toolsListChanged": True}
        self._messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read())
        acknowledged = await self.next()
        assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
        self.honoured = acknowledged["params"]["notifications"]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def next(self) -> dict[str, Any]:
        """The next message, within the time in which nothing that works takes longer."""
        async with asyncio.timeout(PATIENCE):
            message = await self._messages.get()
        assert message is not None, "the stream has ended"
        return message

    async def ended(self) -> dict[str, Any]:
        """The result, which is the last message."""
        result = await self.next()
        async with asyncio.timeout(PATIENCE):
            assert await self._messages.get() is None
        return result

    @property
    def silent(self) -> bool:
        return self._messages.empty()

    async def _read(self) -> None:
        body, headers = listen_request(self._wanted)
        headers["authorization"] = f"Bearer {self._token}"
        async with self._client.stream("POST", self._path, json=body, headers=headers) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    self._messages.put_nowait(json.loads(line.removeprefix("data: ")))
        self._messages.put_nowait(None)


def listen_request(wanted: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Body and headers of a listen."""
    meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}
    params = {"notifications": wanted, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": "mine", "method": "subscriptions/listen", "params": params}
    return body, {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN,
        "mcp-method": "subscriptions/listen",
    }
