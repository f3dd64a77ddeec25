"""Bad input at both doors: the right status, a stable code, nothing lost, never a 500."""

import json
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

DEEP = b"[" * 1000 + b"]" * 1000
EXECUTE = {
    "empty": (b"", 400, "malformed_json"),
    "malformed": (b'{"tool": ', 400, "malformed_json"),
    "not utf-8": (b'{"tool": "\xff"}', 400, "malformed_json"),
    "a lone surrogate": (rb'{"tool": "\ud800"}', 400, "malformed_json"),
    "NaN": (b'{"tool": "tests/add", "input": {"a": NaN}}', 400, "malformed_json"),
    "infinity": (b'{"tool": "tests/add", "input": {"a": 1e999}}', 400, "malformed_json"),
    "depth 1,000": (b'{"tool": "tests/add", "input": {"a": ' + DEEP + b"}}", 400, "too_deep"),
    "depth 2,000": (b"[" * 2000 + b"]" * 2000, 400, "too_deep"),
    "2 MiB": (b'{"tool": "' + b"x" * 2**21 + b'"}', 413, "body_too_large"),
    "a list": (b"[]", 400, "invalid_request"),
    "null": (b"null", 400, "invalid_request"),
    "no tool": (b"{}", 400, "invalid_request"),
    "an empty tool": (b'{"tool": ""}', 400, "invalid_request"),
    "tool of another type": (b'{"tool": 7}', 400, "invalid_request"),
    "input of another type": (b'{"tool": "tests/echo", "input": []}', 400, "invalid_request"),
    "a boolean timeout": (b'{"tool": "t", "timeout_seconds": true}', 400, "invalid_request"),
    "timeout 0": (b'{"tool": "t", "timeout_seconds": 0}', 400, "invalid_request"),
    "timeout 301": (b'{"tool": "t", "timeout_seconds": 301}', 400, "invalid_request"),
    "a misspelt field": (b'{"tool": "t", "inputs": {}}', 400, "invalid_request"),
    "an unknown tool": (b'{"tool": "tests/none"}', 404, "tool_unknown"),
    "an unknown id": (b'{"tool": "%s"}' % str(uuid4()).encode(), 404, "tool_unknown"),
    "a NUL": (b'{"tool": "tests/echo", "input": {"text": "a\\u0000b"}}', 201, None),
    "a NUL in a name": (b'{"tool": "a\\u0000b"}', 404, "tool_unknown"),
    "a very long name": (b'{"tool": "' + b"x" * 5000 + b'"}', 404, "tool_unknown"),
}


async def test_execute_answers_bad_input_with_its_code(client, world):
    """A crash, a hang, or an answer that nobody can act on."""
    await sync_to_async(world.allow)()
    told = {}
    for case, (body, *_) in EXECUTE.items():
        answer = await client.post(world.execute, content=body, headers=world.bearer)
        is_problem = answer.headers["content-type"] == "application/problem+json"
        told[case] = answer.status_code, answer.json()["code"] if is_problem else None
    assert told == {case: (status, code) for case, (_, status, code) in EXECUTE.items()}


async def test_every_fault_of_a_body_is_told_at_once(client, world):
    """A developer would mend one field a try."""
    body = {"tool": 7, "input": [], "timeout_seconds": 0, "extra": 1}
    answer = await client.post(world.execute, json=body, headers=world.bearer)
    paths = {error["path"] for error in answer.json()["errors"]}
    assert paths == {"/tool", "/input", "/timeout_seconds", "/extra"}


RPC = {
    "empty": (b"", 400, -32700),
    "malformed": (b"{", 400, -32700),
    "NaN": (b"[NaN]", 400, -32700),
    "depth 1,000": (DEEP, 400, -32600),
    "a batch": (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600),
    "no version": (b'{"id":1,"method":"ping"}', 400, -32600),
    "a null id": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600),
    "params of another type": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}',
        400,
        -32600,
    ),
    "no name": (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', 200, -32602),
    "a name of another type": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}',
        200,
        -32602,
    ),
    "arguments of another type": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":[]}}',
        200,
        -32602,
    ),
}


async def test_the_mcp_door_answers_bad_input_with_its_code(client, world):
    """A client's connection would break instead of telling what is wrong."""
    told = {}
    for case, (body, *_) in RPC.items():
        answer = await client.post(world.mcp, content=body, headers=world.bearer)
        told[case] = answer.status_code, answer.json()["error"]["code"]
    assert told == {case: (status, code) for case, (_, status, code) in RPC.items()}


async def test_a_large_message_is_refused_at_the_mcp_door(client, world):
    """Anybody could fill the memory."""
    answer = await client.post(world.mcp, content=b"x" * 2**21, headers=world.bearer)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("place", ["nonsense", str(uuid4())])
async def test_addresses_that_are_not_there(client, world, place):
    """Typing errors and foreign ids would crash, or tell what exists."""
    answer = await client.post(
        f"/api/v1/orgs/{place}/runs/execute/",
        json={"tool": "tests/echo", "input": {}},
        headers=world.bearer,
    )
    assert answer.status_code in (401, 404)
    mcp = await client.post(f"/mcp/{place}/{place}/", json={}, headers=world.bearer)
    assert mcp.status_code in (400, 404)
    gone = await client.post(f"/mcp/{place}/", json={}, headers=world.bearer)
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "unauthenticated"),
        ("Bearer", "unauthenticated"),
        ("Basic YTpi", "unauthenticated"),
        ("Bearer nonsense", "token_unknown"),
        ("Bearer a.b.c", "token_malformed"),
        ("Bearer " + "x" * 5000 + ".y.z", "token_too_large"),
        ("Token \xff", "token_unknown"),
    ],
)
async def test_bad_credentials_have_stable_codes(client, world, header, code):
    """Programs could not tell a missing token from a broken one."""
    headers = {"authorization": header.encode("latin-1")}
    answer = await client.post(world.execute, json={"tool": "tests/echo"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    event = await sync_to_async(AuditEvent.objects.get)(event_type="call_unauthenticated")
    assert event.subject == "anonymous"
    assert json.dumps(event.event_data).count(code) == 1


async def test_a_token_of_another_tenant_opens_nothing(client, world, rival):
    """One tenant could run another's tools."""
    foreign = await sync_to_async(lambda: rival.token(rival.agent("Spy")))()
    headers = {"authorization": f"Bearer {foreign}"}
    body = {"tool": "tests/echo", "input": {"text": "x"}}
    answer = await client.post(world.execute, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_wrong_audience")
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert (await client.post(world.mcp, json=ping, headers=headers)).status_code == 401
    assert await sync_to_async(Run.objects.count)() == 0


async def test_a_token_of_another_environment_opens_nothing(client, world):
    """A token for dev would work in prod."""
    agent = await sync_to_async(world.company.agent)("Tester", world.company.dev)
    token = await sync_to_async(world.company.token)(agent)
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    headers = {"authorization": f"Bearer {token}"}
    assert (await client.post(world.mcp, json=ping, headers=headers)).status_code == 401
