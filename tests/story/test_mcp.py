"""Calls through the MCP door, by the real SDK client in both eras and byte by byte."""

import base64
from contextlib import asynccontextmanager

import httpx2
import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from agentxsuite.control.agents.services import issue_token
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run
from agentxsuite.gateway.jsonrpc import HANDSHAKE, META, MODERN
from agentxsuite.gateway.mcp import paging

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
SMALL = {"path": "input.a", "op": "lte", "value": 100}


@asynccontextmanager
async def session(client, world, mode="auto"):
    """The SDK's own client, connected and negotiated."""
    async with httpx2.AsyncClient(headers=world.bearer, timeout=30) as carrier:
        transport = streamable_http_client(
            str(client.base_url.join(world.mcp)), http_client=carrier
        )
        async with Client(transport, mode=mode) as connected:
            yield connected


async def rpc(client, world, method, params=None, **headers):
    """One request as it goes over the wire; ``path`` and ``modern`` may stand among the headers."""
    path, modern = headers.pop("path", world.mcp), headers.pop("modern", False)
    params = dict(params or {})
    lines = {"accept": "application/json, text/event-stream", **world.bearer}
    if modern:
        params["_meta"] = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}
        lines |= {"mcp-protocol-version": MODERN, "mcp-method": method}
        if "name" in params:
            lines["mcp-name"] = params["name"]
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return await client.post(path, json=body, headers=lines | headers)


@pytest.mark.parametrize("mode", ["auto", "legacy", MODERN])
async def test_a_real_client_lists_and_calls(client, world, mode):
    """No MCP client could use the gateway."""
    await sync_to_async(world.allow)()
    async with session(client, world, mode) as connected:
        listed = await connected.list_tools()
        names = {tool.name for tool in listed.tools}
        assert {"tests__echo", "tests__add"} <= names
        result = await connected.call_tool("tests__echo", {"text": "hello"})
        assert result.content[0].text == "hello"
        assert not result.is_error
        refused = await connected.call_tool("tests__add", {"a": "one", "b": 2})
        assert refused.is_error
        again = await connected.call_tool("tests__add", {"a": 1, "b": 2})
        assert again.structured_content == {"result": 3}
    runs = await sync_to_async(lambda: list(Run.objects.order_by("id").values_list("door")))()
    assert runs == [("mcp",)] * 3


async def test_a_list_shows_exactly_what_some_arguments_could_call(client, world):
    """Agents would see tools they may not use, or miss those they may."""
    await sync_to_async(world.allow)("tool:tests/add", conditions=SMALL)
    await sync_to_async(world.allow)("tool:tests/echo")
    await sync_to_async(world.rule)("deny", "tool:tests/echo")
    answer = await rpc(client, world, "tools/list")
    assert [tool["name"] for tool in answer.json()["result"]["tools"]] == ["tests__add"]
    assert await sync_to_async(AuditEvent.objects.exclude(run_id=None).count)() == 0


async def test_a_denied_call_on_a_listed_tool_is_a_result_a_model_reads(client, world):
    """Models would see a broken connection instead of a reason."""
    await sync_to_async(world.allow)("tool:tests/add", conditions=SMALL)
    params = {"name": "tests__add", "arguments": {"a": 500, "b": 0}}
    for modern in (False, True):
        answer = await rpc(client, world, "tools/call", params, modern=modern)
        assert answer.status_code == 200
        result = answer.json()["result"]
        assert result["isError"] is True
        refusal = result["_meta"]["agentxsuite/refusal"]
        assert refusal["code"] == "default_deny"
        run = await sync_to_async(Run.objects.get)(id=refusal["run_id"])
        assert run.outcome_code == "denied"
        assert ("resultType" in result) is modern


async def test_an_invisible_tool_is_as_unknown_as_one_that_is_not(client, world):
    """Agents could map what they may not see."""
    await sync_to_async(world.allow)("tool:tests/echo")
    answers = [
        await rpc(client, world, "tools/call", {"name": name, "arguments": {}})
        for name in ("tests__add", "tests__nil")
    ]
    errors = [answer.json()["error"] for answer in answers]
    assert [error["code"] for error in errors] == [-32602, -32602]
    assert errors[0]["message"].replace("add", "nil") == errors[1]["message"]
    assert errors[0]["data"] == errors[1]["data"]


async def test_one_connection_has_an_address_with_its_own_names(client, world):
    """Conformance suites, and agents that use one server, could not address it plainly."""
    await sync_to_async(world.allow)()
    path = f"{world.mcp}tests/"
    listed = await rpc(client, world, "tools/list", path=path)
    assert "echo" in {tool["name"] for tool in listed.json()["result"]["tools"]}
    params = {"name": "echo", "arguments": {"text": "x"}}
    called = await rpc(client, world, "tools/call", params, path=path)
    assert called.json()["result"]["content"][0]["text"] == "x"
    nobody = await rpc(client, world, "tools/list", path=f"{world.mcp}other/")
    assert nobody.json()["result"]["tools"] == []


async def test_lists_come_in_pages(client, world, monkeypatch):
    """A thousand tools would come as one answer, and bad cursors as a crash."""
    await sync_to_async(world.allow)()
    monkeypatch.setattr(paging, "PAGE", 2)
    names, cursor = [], None
    while True:
        params = {"cursor": cursor} if cursor else {}
        result = (await rpc(client, world, "tools/list", params)).json()["result"]
        names += [tool["name"] for tool in result["tools"]]
        cursor = result.get("nextCursor")
        if cursor is None:
            break
    assert len(names) == len(set(names)) > 2
    for bad in ("%%%", 7, base64.b64encode(b"\xff").decode()):
        answer = await rpc(client, world, "tools/list", {"cursor": bad})
        assert answer.json()["error"]["code"] == -32602


async def test_the_modern_era_discovers(client, world):
    """Clients of 2026-07-28 could not begin."""
    result = (await rpc(client, world, "server/discover", modern=True)).json()["result"]
    assert result["supportedVersions"] == [MODERN, *HANDSHAKE]
    assert result["resultType"] == "complete"
    assert result["cacheScope"] == "private"
    listed = (await rpc(client, world, "tools/list", modern=True)).json()["result"]
    assert (listed["cacheScope"], listed["ttlMs"] > 0) == ("private", True)


async def test_the_handshake_era_opens_without_a_session(client, world):
    """Half of today's clients could not begin."""
    answer = await rpc(client, world, "initialize", {"protocolVersion": "2025-06-18"})
    assert answer.json()["result"]["protocolVersion"] == "2025-06-18"
    assert "mcp-session-id" not in answer.headers
    future = await rpc(client, world, "initialize", {"protocolVersion": "2031-01-01"})
    assert future.json()["result"]["protocolVersion"] == HANDSHAKE[0]
    for method, params in (("ping", {}), ("logging/setLevel", {"level": "debug"})):
        assert (await rpc(client, world, method, params)).json()["result"] == {}
    loud = await rpc(client, world, "logging/setLevel", {"level": "loud"})
    assert loud.json()["error"]["code"] == -32602
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    acknowledged = await client.post(world.mcp, json=note, headers=world.bearer)
    assert (acknowledged.status_code, acknowledged.content) == (202, b"")


@pytest.mark.parametrize(("modern", "status"), [(False, 200), (True, 404)])
async def test_an_unknown_method_is_told_so(client, world, modern, status):
    """Clients could not tell a missing feature from a failure."""
    answer = await rpc(client, world, "tools/dance", modern=modern)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, -32601)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_other_http_methods_are_refused(client, world, method):
    """Clients would wait on a stream that never says anything."""
    answer = await client.request(method, world.mcp, headers=world.bearer)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_foreign_origin_is_refused(client, world):
    """A web page could call tools from a visitor's browser."""
    answer = await rpc(client, world, "tools/list", origin="https://evil.example")
    assert (answer.status_code, answer.json()["code"]) == (403, "host_refused")


async def test_a_stranger_is_told_where_to_get_a_token(client, world):
    """Clients could not find out how to log in."""
    answer = await rpc(client, world, "tools/list", authorization="")
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer resource_metadata=")
    assert 'scope="tool.invoke resource.read prompt.get"' in challenge
    address = challenge.split('"')[1].partition("/.well-known")[2]
    metadata = (await client.get(f"/.well-known{address}")).json()
    assert metadata["resource"].endswith(world.mcp)
    forged = await rpc(client, world, "tools/list", authorization="Bearer a.b.c")
    assert 'error="invalid_token"' in forged.headers["www-authenticate"]
    event = await sync_to_async(AuditEvent.objects.filter)(event_type="call_unauthenticated")
    assert await sync_to_async(event.count)() == 2


async def test_a_token_without_the_scope_is_told_which(client, world):
    """Clients could not ask for what they lack."""
    issued = await sync_to_async(issue_token)(
        world.company.actor, world.agent, scopes=["resource.read"]
    )
    for method in ("tools/list", "tools/call"):
        params = {"name": "tests__echo", "arguments": {}}
        headers = {"authorization": f"Bearer {issued[1]}"}
        answer = await rpc(client, world, method, params, **headers)
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_people_use_the_other_door(client, world):
    """A login token would be taken for an agent's."""
    login = await sync_to_async(lambda: AuthToken.objects.create(world.company.owner)[1])()
    answer = await rpc(client, world, "tools/list", authorization=f"Bearer {login}")
    assert answer.status_code == 401
