"""The clients that people have: each lists, calls, is refused, and its next call works.

Claude Code connects; it would need a model to call.
"""

import json
import sys

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.clients import npm
from tests.story.conftest import World, serving

pytestmark = pytest.mark.django_db(transaction=True)
HELLO = {"name": "tests__echo", "arguments": {"text": "hello"}}
REFUSED = {"name": "tests__add", "arguments": {"a": 1, "b": 9000}}
PACKAGES = ("@modelcontextprotocol/sdk", "@modelcontextprotocol/client")
BIG = {"path": "input.b", "op": "gt", "value": 100}


@pytest.fixture
def ruled(world) -> World:
    """An agent that may add small numbers only."""
    world.allow()
    world.rule("deny", "tool:tests/add", conditions=BIG, message="Too big: ask for less.")
    return world


@pytest.fixture
async def address(ruled, world):
    """The environment's address."""
    async with serving() as client:
        yield str(client.base_url.join(world.mcp))


def check_played(results):
    """Whether what was said is what happened: an answer, a refusal in words, an answer."""
    first, refused, again = results
    assert first["content"] == again["content"] == [{"type": "text", "text": "hello"}]
    assert refused["isError"] is True
    assert "Too big: ask for less." in refused["content"][0]["text"]
    assert refused["_meta"]["agentxsuite/refusal"]["code"] == "explicit_deny"


async def play(client: Client):
    """List, call, be refused and call again."""
    assert "tests__echo" in {tool.name for tool in (await client.list_tools()).tools}
    calls = (HELLO, REFUSED, HELLO)
    results = [await client.call_tool(call["name"], call["arguments"]) for call in calls]
    check_played(
        [result.model_dump(by_alias=True, exclude_none=True, mode="json") for result in results]
    )


@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
async def test_the_python_client_lists_calls_and_goes_on(world, address, mode):
    """Otherwise: whoever builds agents in Python is cut off by a refusal."""
    async with httpx2.AsyncClient(headers=world.bearer, timeout=30) as carrier:
        transport = streamable_http_client(address, http_client=carrier)
        async with Client(transport, mode=mode) as client:
            await play(client)


@pytest.mark.parametrize("package", PACKAGES)
async def test_javascript_clients_list_call_and_go_on(world, address, package):
    """Otherwise: whoever builds agents in JavaScript is cut off by a refusal."""
    status, said = await npm.run(
        "node",
        "calling.mjs",
        ADDRESS=address,
        TOKEN=world.token,
        PACKAGE=package,
        CALLS=json.dumps([HELLO, REFUSED, HELLO]),
    )
    assert status == 0, said
    told = json.loads(said.splitlines()[-1])
    assert {"tests__echo", "tests__add"} <= set(told["tools"])
    check_played(told["results"])


async def inspect(world: World, address: str, *words: str):
    """What the Inspector says of one request; of a tool's failure it speaks once more after it."""
    _, said = await npm.run(
        "mcp-inspector",
        *("--cli", address, "--transport", "http"),
        *("--header", f"Authorization: Bearer {world.token}", *words),
    )
    return json.JSONDecoder().raw_decode(said, said.index("{"))[0]


async def test_the_inspector_lists_and_calls(world, address):
    """Otherwise: the tool that people look at servers with shows nothing."""
    listed = await inspect(world, address, "--method", "tools/list")
    assert {"tests__echo", "tests__add"} <= {tool["name"] for tool in listed["tools"]}
    results = []
    for call in (HELLO, REFUSED, HELLO):
        given = [
            word
            for pair in call["arguments"].items()
            for word in ("--tool-arg", "=".join(map(str, pair)))
        ]
        named = ("--method", "tools/call", "--tool-name", call["name"])
        results.append(await inspect(world, address, *named, *given))
    check_played(results)


async def test_mcp_remote_carries_a_stdio_client(world, address):
    """Otherwise: a client that only starts programs cannot come in."""
    program = StdioServerParameters(
        command=str(npm.PROGRAMS / "node"),
        args=[
            str(npm.PROGRAMS / "mcp-remote"),
            address,
            *("--allow-http", "--transport", "http-only", "--header", "Authorization:${BEARER}"),
        ],
        env={"BEARER": f"Bearer {world.token}", "PATH": str(npm.PROGRAMS)},
    )
    async with Client(stdio_client(program, errlog=sys.stderr)) as client:
        await play(client)


async def test_claude_code_connects(world, address, tmp_path):
    """Otherwise: the assistant that many people use says that the server is broken."""
    given = ("mcp", "add", "--transport", "http", "acme", address)
    header = ("--header", f"Authorization: Bearer {world.token}")
    assert (await claude(tmp_path, *given, *header))[0] == 0
    _, said = await claude(tmp_path, "mcp", "list")
    assert "Connected" in said, said


async def claude(home, *words: str):
    """Run Claude Code as somebody who has just installed it."""
    wrapper = npm.FOLDER / "node_modules" / "@anthropic-ai" / "claude-code" / "cli-wrapper.cjs"
    return await npm.run("node", str(wrapper), *words, HOME=str(home))
