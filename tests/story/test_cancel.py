"""A person stops a run: its caller is told, its upstream is let go, the record says so."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run
from agentxsuite.gateway import asgi
from agentxsuite.gateway.worker.rounds import Pace
from tests.story.conftest import serving
from tests.story.held import holding

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Workers look often."""
    monkeypatch.setattr(asgi, "PACE", Pace(beat=0.02, watch=0.02))


@pytest.fixture
async def held(world, quick):
    await sync_to_async(world.allow)()
    async with holding() as upstream:
        upstream.free.clear()
        yield upstream


@sync_to_async
def the_run():
    return Run.objects.get()


@sync_to_async
def login(person):
    return {"authorization": f"Bearer {AuthToken.objects.create(person)[1]}"}


async def execute(client, world, **headers):
    return await client.post(world.execute, json=ECHO, headers=world.bearer | headers)


async def cancel(client, world, who="bob"):
    run = await the_run()
    person = await login(world.company.people[who])
    path = f"/api/v1/orgs/{world.company.organization.id}/runs/{run.id}/cancel/"
    return await client.post(path, headers=person)


async def test_a_cancelled_run_ends_and_its_caller_is_told(held, client, world):
    """Nobody could stop an agent that does the wrong thing right now."""
    waiting = asyncio.create_task(execute(client, world))
    await held.arrived()
    asked = await cancel(client, world)
    assert asked.status_code == 202, asked.text
    assert asked.json()["cancel_requested_at"] is not None
    answer = await waiting
    assert (answer.status_code, answer.json()["code"]) == (409, "run_cancelled")
    await held.gone.wait()
    run = await the_run()
    assert (run.status, run.outcome_code) == ("failed", "cancelled")
    assert str(run.id) == answer.json()["run_id"] == asked.json()["id"]
    event = await sync_to_async(AuditEvent.objects.get)(event_type="run_cancel_requested")
    bob = world.company.people["bob"]
    assert (event.subject, event.target) == (f"user:{bob.id}", f"run:{run.id}")
    over = await cancel(client, world)
    assert (over.status_code, over.json()["code"]) == (409, "run_ended")


async def test_a_model_reads_that_its_call_was_cancelled(held, client, world):
    """An agent would see a broken connection and try again."""
    params = {"name": "tests__echo", "arguments": {"text": "x"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    waiting = asyncio.create_task(client.post(world.mcp, json=body, headers=world.bearer))
    await held.arrived()
    await cancel(client, world)
    result = (await waiting).json()["result"]
    assert result["isError"]
    assert result["_meta"]["agentxsuite/refusal"]["code"] == "run_cancelled"


async def test_a_cancelled_run_is_told_again_under_its_key(held, client, world):
    """A retry would do what a person has just stopped."""
    waiting = asyncio.create_task(execute(client, world, **{"idempotency-key": "k"}))
    await held.arrived()
    await cancel(client, world)
    await waiting
    again = await execute(client, world, **{"idempotency-key": "k"})
    assert (again.status_code, again.json()["code"]) == (409, "run_cancelled")
    assert again.headers["idempotency-replayed"] == "true"
    assert len(held.calls) == 1


async def test_asking_twice_is_asking_once(held, world, monkeypatch):
    """The record would show cancellations that nobody made."""
    monkeypatch.setattr(asgi, "PACE", Pace(beat=600, watch=600))
    async with serving() as client:
        waiting = asyncio.create_task(execute(client, world))
        await held.arrived()
        first, second = await cancel(client, world), await cancel(client, world)
        held.free.set()
        assert (await waiting).status_code == 201  # it was faster than the wish
    assert first.json()["cancel_requested_at"] == second.json()["cancel_requested_at"]
    events = AuditEvent.objects.filter(event_type="run_cancel_requested")
    assert await sync_to_async(events.count)() == 1


@pytest.mark.parametrize(
    ("who", "told"), [("vera", (403, "forbidden")), ("ada", (403, "forbidden"))]
)
async def test_who_only_looks_cannot_cancel(held, client, world, who, told):
    """A viewer could stop the work of others."""
    waiting = asyncio.create_task(execute(client, world))
    await held.arrived()
    answer = await cancel(client, world, who)
    assert (answer.status_code, answer.json()["code"]) == told
    held.free.set()
    assert (await waiting).status_code == 201


async def test_a_stranger_learns_nothing_of_a_run(held, client, world, rival):
    """Another tenant could stop a run, or learn that it is there."""
    waiting = asyncio.create_task(execute(client, world))
    await held.arrived()
    world.company.people |= rival.people
    assert (await cancel(client, world, "charlie")).status_code == 404
    held.free.set()
    assert (await waiting).status_code == 201


@pytest.mark.database(only="postgres")
async def test_a_run_is_cancelled_through_another_worker(held, world):
    """A person could only stop what happens to run where the request arrives."""
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(serving()) for _ in range(2)]
        waiting = asyncio.create_task(execute(here, world))
        await held.arrived()
        assert (await cancel(there, world)).status_code == 202
        assert (await waiting).json()["code"] == "run_cancelled"
