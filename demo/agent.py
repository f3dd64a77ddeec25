"""The agent: the MCP SDK's own client at one door, plain HTTP at the other. It knows one token."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent, Tool

from demo.transcript import Transcript
from demo.world import World

REFUSAL = "agentxsuite/refusal"
PATIENCE = 10.0  # seconds for one answer
ONE_LINE = 120  # characters of data shown in one line
OUTCOMES = {
    "invalid_arguments": "invalid",
    "rate_limited": "throttled",
}  # every other refusal counts as denied


@dataclass(frozen=True)
class Answer:
    """What an MCP client gets; ``error`` is JSON-RPC's code where there is no result at all."""

    text: str
    is_error: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    refusal: Mapping[str, Any] = field(default_factory=dict)
    error: int | None = None


@dataclass(frozen=True)
class Made:
    """A call that the agent made, and what became of it, to be found again in the records."""

    door: str
    tool: str
    outcome: str | None


class Agent:
    """Makes calls, shows them in the transcript and remembers them."""

    def __init__(self, client: Client, http: httpx2.AsyncClient, transcript: Transcript) -> None:
        self._client = client
        self._http = http
        self._transcript = transcript
        self.headers = http.headers
        self.calls: list[Made] = []

    async def tools(self) -> list[Tool]:
        """What ``tools/list`` shows."""
        self._transcript.asks("agent, MCP", "tools/list")
        return list((await self._client.list_tools()).tools)

    async def call(self, name: str, arguments: dict[str, Any]) -> Answer:
        """Call a tool at the MCP door."""
        self._transcript.asks("agent, MCP", name, arguments)
        try:
            answer = read(await self._client.call_tool(name, arguments))
        except MCPError as error:
            answer = Answer(error.error.message, is_error=True, error=error.error.code)
        self._transcript.gets(*shown(answer))
        self._remember("mcp", name.replace("__", "/"), answer.refusal or answer.error)
        return answer

    async def execute(self, tool: str, values: dict[str, Any]) -> httpx2.Response:
        """Call a tool at the REST door."""
        self._transcript.asks("agent, REST", tool, values)
        answer = await self._http.post("runs/execute/", json={"tool": tool, "input": values})
        body = answer.json()
        self._transcript.gets(f"{answer.status_code} {body.get('detail') or body['status']}")
        self._remember("rest", tool, body if answer.is_error else None)
        return answer

    def _remember(self, door: str, tool: str, refusal: Mapping[str, Any] | int | None) -> None:
        code = refusal.get("code") if isinstance(refusal, Mapping) else ""
        outcome = OUTCOMES.get(code or "", "denied") if refusal else None
        self.calls.append(Made(door, tool, outcome))


@asynccontextmanager
async def agent_with(token: str, world: World, transcript: Transcript) -> AsyncIterator[Agent]:
    """An agent at both doors, its MCP client connected."""
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "demo-agent"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE, trust_env=False) as http,
        httpx2.AsyncClient(
            base_url=world.api, headers=headers, timeout=PATIENCE, trust_env=False
        ) as rest,
        Client(streamable_http_client(world.mcp_url, http_client=http), cache=None) as client,
    ):
        yield Agent(client, rest, transcript)


def read(result: Any) -> Answer:
    """A result of ``tools/call``, in the terms of this story."""
    texts = [part.text for part in result.content if isinstance(part, TextContent)]
    return Answer(
        "\n".join(texts),
        result.is_error,
        result.structured_content or {},
        (result.meta or {}).get(REFUSAL, {}),
    )


def shown(answer: Answer) -> list[str]:
    """The lines of an answer worth showing: its data where it has any, else its text."""
    if not answer.data:
        return [line for line in answer.text.splitlines() if line.strip()]
    whole = json.dumps(answer.data)
    if len(whole) <= ONE_LINE:
        return [whole]
    return [f"{name}: {json.dumps(value)}" for name, value in answer.data.items()]
