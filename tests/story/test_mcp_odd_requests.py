"""Requests that no client should make, and what they are told."""

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.runs.models import Run
from agentxsuite.gateway.jsonrpc import MODERN
from tests.story.test_mcp import rpc

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("ref", [None, {"type": ["ref/prompt"]}, {"type": {}}, {"type": "ref/x"}])
async def test_a_reference_of_any_type_is_judged(client, world, ref):
    """Otherwise: one odd value in a request is told as a defect of the server."""
    answer = await rpc(client, world, "completion/complete", {"ref": ref})
    assert answer.json()["error"]["code"] == -32602


@pytest.mark.parametrize("name", ['a", error="b', "a%0d%0aX-Odd: b"])
async def test_what_cannot_be_a_connection_has_no_address(client, world, name):
    """Otherwise: whoever writes an address writes our headers, or breaks the connection."""
    for path in (world.mcp, f"/.well-known/oauth-protected-resource{world.mcp}"):
        answer = await client.post(f"{path}{name}/", json={})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_address_works_without_its_last_slash(client, world):
    """Otherwise: who loses one character of the address is told that there is nothing."""
    await sync_to_async(world.allow)()
    for path in (world.mcp[:-1], f"{world.mcp}tests"):
        assert (await rpc(client, world, "tools/list", path=path)).json()["result"]["tools"]
        stranger = await rpc(client, world, "tools/list", path=path, authorization="")
        address = stranger.headers["www-authenticate"].split('"')[1]
        assert address.endswith(path)
        metadata = (await client.get(address.partition("8000")[2])).json()
        assert metadata["resource"].endswith(path)


@pytest.mark.parametrize(
    ("name", "code"), [("authorization", 401), ("mcp-method", 400), ("origin", 403)]
)
async def test_a_header_that_comes_twice_is_none_of_both(client, world, name, code):
    """Otherwise: a proxy lets a request pass by one header, and we go by the other."""
    good = {"authorization": world.bearer["authorization"], "mcp-method": "tools/list"}
    headers = [
        *good.items(),
        ("mcp-protocol-version", MODERN),
        ("origin", "http://localhost"),
        (name, good.get(name, "http://localhost")),
    ]
    meta = {"protocolVersion": MODERN, "clientCapabilities": {}}
    params = {"_meta": {f"io.modelcontextprotocol/{key}": meta[key] for key in meta}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}
    answer = await client.post(world.mcp, json=body, headers=headers)
    assert answer.status_code == code


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"mcp-param-region": "eu"}, 200), ({"mcp-param-region": "us"}, 400), ({}, 400)],
)
async def test_headers_that_repeat_arguments_agree_with_them(client, world, headers, status):
    """Otherwise: a proxy routes a call by one argument, and the tool runs with another."""
    await sync_to_async(world.allow)()
    params = {"name": "tests__routed", "arguments": {"region": "eu"}}
    answer = await rpc(client, world, "tools/call", params, modern=True, **headers)
    assert answer.status_code == status
    if status == 400:
        error = answer.json()["error"]
        assert (error["code"], error["data"]["code"]) == (-32020, "header_mismatch")
        run = await sync_to_async(Run.objects.get)(id=error["data"]["run_id"])
        assert (run.status, run.outcome_code) == ("failed", "invalid")
    old = await rpc(client, world, "tools/call", params, **headers)
    assert old.json()["result"]["isError"] is False
