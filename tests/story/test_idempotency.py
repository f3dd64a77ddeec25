"""A request that comes again under its key runs once, at both doors and on every worker."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.agents.services import issue_token, revoke_token
from agentxsuite.control.policies.models import PolicyBinding
from agentxsuite.control.runs.models import IdempotencyKey, Run
from tests.story.conftest import serving
from tests.story.held import holding

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}
MANY = 20


@pytest.fixture
async def held(world):
    await sync_to_async(world.allow)()
    async with holding() as upstream:
        yield upstream


async def execute(client, world, body=None, key="k-1", **headers):
    lines = world.bearer | {"idempotency-key": key} | headers
    return await client.post(world.execute, json=body or ECHO, headers=lines)


async def call(client, world, key="k-1", **arguments):
    """One tools/call at the MCP door."""
    params = {"name": "tests__echo", "arguments": arguments or {"text": "hello"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = world.bearer | {"idempotency-key": key}
    return await client.post(world.mcp, json=body, headers=headers)


def problem(answer):
    return answer.status_code, answer.json()["code"]


async def test_a_repeated_request_is_answered_from_the_record(held, client, world):
    """A caller whose connection broke would pay twice."""
    first = await execute(client, world)
    assert first.status_code == 201, first.text
    assert "idempotency-replayed" not in first.headers
    again = await execute(client, world)
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert len(held.calls) == 1
    assert await sync_to_async(Run.objects.count)() == 1
    another = await execute(client, world, key="k-2")
    assert another.json()["run_id"] != first.json()["run_id"]
    assert len(held.calls) == 2


async def test_the_key_works_at_the_mcp_door_too(held, client, world):
    """An agent that retries a tool call would run it twice."""
    first = await call(client, world)
    again = await call(client, world)
    assert again.json() == first.json()
    assert first.json()["result"]["content"][0]["text"] == "done"
    assert again.headers["idempotency-replayed"] == "true"
    assert len(held.calls) == 1
    elsewhere = await execute(client, world)  # another address, so another key
    assert "idempotency-replayed" not in elsewhere.headers
    other = await call(client, world, text="else")
    assert other.json()["result"]["isError"]
    told = other.json()["result"]["_meta"]["agentxsuite/refusal"]
    assert told["code"] == "idempotency_key_reused"


async def test_a_request_under_way_is_told_so(held, client, world):
    """Two equal requests at once would both be sent."""
    held.free.clear()
    first = asyncio.create_task(execute(client, world))
    await held.arrived()
    waiting = await execute(client, world)
    assert problem(waiting) == (409, "idempotency_in_flight")
    assert waiting.headers["retry-after"] == "1"
    held.free.set()
    assert (await execute(client, world)).status_code in {201, 409}
    assert (await first).status_code == 201
    again = await execute(client, world)
    assert again.json()["run_id"] == (await first).json()["run_id"]
    assert len(held.calls) == 1


async def test_of_many_equal_requests_at_once_one_is_sent(held, client, world):
    """A client that retries too early would run a tool many times."""
    answers = await asyncio.gather(*(execute(client, world) for _ in range(MANY)))
    check_one(answers, held)


@pytest.mark.database(only="postgres")
async def test_of_many_equal_requests_on_two_workers_one_is_sent(held, world):
    """A balancer that repeats a request elsewhere would run a tool twice."""
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(serving()) for _ in range(2)]
        turns = [execute(workers[turn % 2], world) for turn in range(MANY)]
        check_one(await asyncio.gather(*turns), held)
        for worker in workers:
            assert (await execute(worker, world)).headers["idempotency-replayed"] == "true"


def check_one(answers, held):
    """Exactly one was sent; the others wait, or are told its answer."""
    assert len(held.calls) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    runs = {answer.json()["run_id"] for answer in answers if answer.status_code == 201}
    assert len(runs) == 1


async def test_a_key_is_good_for_one_request(held, client, world):
    """A caller would take the answer to another question for its own."""
    await execute(client, world)
    other = ECHO | {"input": {"text": "else"}}
    assert problem(await execute(client, world, other)) == (422, "idempotency_key_reused")
    same = {"input": {"text": "hello"}, "tool": "tests__echo", "timeout_seconds": 30}
    assert (await execute(client, world, same)).headers["idempotency-replayed"] == "true"
    assert len(held.calls) == 1


async def test_callers_do_not_share_keys(held, client, world):
    """One agent could read another's answers by guessing its keys."""

    @sync_to_async
    def hired():
        return world.company.token(world.company.agent("Other"))

    await execute(client, world)
    other = await execute(client, world, authorization=f"Bearer {await hired()}")
    assert other.status_code == 201
    assert "idempotency-replayed" not in other.headers
    assert len(held.calls) == 2


async def test_a_replay_is_not_a_use(client, world):
    """A retry would cost the caller its rate."""
    await sync_to_async(world.allow)(terms={"rate": {"per_minute": 1, "burst": 1}})
    async with holding():
        first = await execute(client, world)
        for _ in range(3):
            assert (await execute(client, world)).json() == first.json()
        assert (await execute(client, world, key="k-2")).status_code == 429


async def test_a_failure_is_told_again_too(held, client, world):
    """A retry would run what has failed halfway a second time."""
    held.broken = 1
    first = await execute(client, world)
    again = await execute(client, world)
    assert problem(first) == problem(again) == (502, "upstream_rpc")
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(held.calls) == 1


async def test_a_tools_own_failure_is_told_again(held, client, world):
    """A failed run would look like another one."""
    held.result = {"content": [], "isError": True}
    first = await execute(client, world)
    again = await execute(client, world)
    assert again.json() == first.json()
    assert again.json()["status"] == "failed"


async def test_a_refusal_keeps_no_key(held, client, world):
    """A caller that was let in later would be refused for ever."""
    await sync_to_async(world.rule)("deny", "tool:tests/echo")
    assert (await execute(client, world)).status_code == 403
    assert await sync_to_async(IdempotencyKey.objects.count)() == 0
    await sync_to_async(PolicyBinding.objects.filter(policy__rules__effect="deny").delete)()
    assert (await execute(client, world)).status_code == 201


async def test_who_may_no_longer_call_is_not_answered_from_the_record(held, client, world):
    """A stolen token, or a lost right, would still read old answers."""
    assert (await execute(client, world)).status_code == 201
    issued, token = await sync_to_async(issue_token)(world.company.actor, world.agent)
    fresh = {"authorization": f"Bearer {token}"}
    assert (await execute(client, world, **fresh)).headers["idempotency-replayed"] == "true"
    await sync_to_async(revoke_token)(world.company.actor, issued)
    assert (await execute(client, world, **fresh)).status_code == 401
    await sync_to_async(world.rule)("deny", "tool:tests/echo")
    assert (await execute(client, world)).status_code == 403


async def test_an_answer_is_told_again_as_it_was_kept(client, world):
    """What a policy hides from the record would come back by a retry."""
    await sync_to_async(world.allow)(terms={"redact": ["output.content[0].text"]})
    async with holding():
        first = await execute(client, world)
        again = await execute(client, world)
    assert first.json()["result"]["content"][0]["text"] == "done"
    assert again.json()["result"]["content"][0]["text"] == "[redacted]"


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
async def test_a_key_that_cannot_be_kept_is_refused_at_both_doors(held, client, world, key):
    """A caller would believe in a promise that nobody made."""
    assert problem(await execute(client, world, key=key)) == (400, "invalid_idempotency_key")
    told = (await call(client, world, key=key)).json()["result"]
    assert told["_meta"]["agentxsuite/refusal"]["code"] == "invalid_idempotency_key"
    assert held.calls == []
