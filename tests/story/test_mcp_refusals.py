"""What models read when a call fails, here or behind, and that the next one works."""

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.runs.models import Run
from tests.story.test_mcp import rpc

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ERAS = pytest.mark.parametrize("modern", [False, True])


async def call(client, world, name, modern, **arguments):
    """The result of a call."""
    params = {"name": f"tests__{name}", "arguments": arguments}
    answer = await rpc(client, world, "tools/call", params, modern=modern)
    assert answer.status_code == 200
    return answer.json()["result"]


async def check(refused, code, *words):
    """Whether it says why in words, and to programs; returns what programs are told."""
    assert refused["isError"] is True
    (block,) = refused["content"]
    assert all(word in block["text"] for word in words), block
    told = refused["_meta"]["agentxsuite/refusal"]
    assert {"code", "run_id", "decision_id", "retry_after"} <= {*told}
    assert told["code"] == code
    assert await sync_to_async(Run.objects.filter(id=told["run_id"], status="failed").exists)()
    return told


@ERAS
async def test_who_calls_too_often_reads_when_to_come_back(client, world, modern):
    """Otherwise: a model that is too quick takes the tool for broken, and hammers on."""
    await sync_to_async(world.allow)("tool:tests/add")
    await sync_to_async(world.allow)(
        "tool:tests/echo", terms={"rate": {"per_minute": 1, "burst": 1}}
    )
    assert (await call(client, world, "echo", modern, text="a"))["isError"] is False
    told = await check(
        await call(client, world, "echo", modern, text="a"), "rate_limited", "try again in"
    )
    assert 0 < told["retry_after"] <= 60
    assert (await call(client, world, "add", modern, a=1, b=2))["isError"] is False


@ERAS
async def test_a_tool_that_takes_too_long_is_told_so(client, world, modern):
    """Otherwise: a model waits for ever for a tool that hangs."""
    await sync_to_async(world.allow)("tool:tests/add")
    await sync_to_async(world.allow)("tool:tests/slow", terms={"timeout": 1})
    await check(await call(client, world, "slow", modern, seconds=4), "upstream_timeout", "1 s")
    assert (await call(client, world, "add", modern, a=1, b=2))["isError"] is False


@ERAS
async def test_a_server_that_is_gone_is_told_without_its_address(client, world, modern):
    """Otherwise: a model sees a broken connection, or where the company's servers are."""
    await sync_to_async(world.allow)()
    await sync_to_async(Connection.objects.update)(endpoint="http://127.0.0.1:1/mcp")
    refused = await call(client, world, "add", modern, a=1, b=2)
    await check(refused, "upstream_unavailable", "upstream")
    assert "127.0.0.1" not in str(refused)
    await sync_to_async(Connection.objects.update)(endpoint=world.upstream)
    assert (await call(client, world, "add", modern, a=1, b=2))["isError"] is False
