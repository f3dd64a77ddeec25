"""What a dead worker leaves is closed by the living; a worker that was given up gives in."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import IdempotencyKey, Run, RunStep, Worker
from agentxsuite.gateway import asgi
from agentxsuite.gateway.call import new_id
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.worker.lease import GRACE_SECONDS, LEASE_SECONDS, Lease
from agentxsuite.gateway.worker.rounds import Pace
from tests.story.conftest import serving
from tests.story.held import holding
from tests.unit.gateway.shelf import Clock
from tests.witness import forging

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}
NEVER = 3600.0
LONG_AGO = timedelta(seconds=2 * LEASE_SECONDS + GRACE_SECONDS + 60)


@pytest.fixture
def pace(monkeypatch):
    """Sets how often workers that are started from now on do what."""
    return lambda **seconds: monkeypatch.setattr(asgi, "PACE", Pace(**seconds))


@pytest.fixture
def seasoned(monkeypatch):
    """Workers that are started from now on know already who lives."""

    def opened(**parts):
        clock = Clock()
        lease = Lease(clock)
        clock.now += LEASE_SECONDS
        return Gate(**parts, lease=lease)

    monkeypatch.setattr(asgi, "Gate", opened)


@pytest.fixture
async def held(world):
    await sync_to_async(world.allow)()
    async with holding() as upstream:
        upstream.free.clear()
        yield upstream


async def execute(client, world, **headers):
    return await client.post(world.execute, json=ECHO, headers=world.bearer | headers)


@sync_to_async
def alter(rows, **facts):
    with forging():
        return rows.update(**facts)


@sync_to_async
def overdue_like_it():
    """A run like the only one, but long beyond its timeout and never sent; its id."""
    with forging():
        run = Run.objects.get()
        run.pk = new_id()
        run.started_at, run.dispatched_at = timezone.now() - LONG_AGO, None
        run.save(force_insert=True)
        return run.pk


@sync_to_async
def the_run():
    return Run.objects.get()


async def until(holds):
    """Wait for what others do to the database; asking takes a moment each time."""
    async with asyncio.timeout(10):
        while not await sync_to_async(holds)():
            pass


async def ended():
    """The only run, once it is over."""
    await until(Run.objects.exclude(ended_at=None).exists)
    return await the_run()


@pytest.mark.usefixtures("seasoned")
async def test_a_worker_that_was_given_up_does_not_answer_as_if_it_was_recorded(held, world, pace):
    """A caller would hold an answer that the record contradicts."""
    async with AsyncExitStack() as stack:
        pace(beat=NEVER, reap=NEVER)
        stopped = await stack.enter_async_context(serving())
        waiting = asyncio.create_task(execute(stopped, world, **{"idempotency-key": "k"}))
        await held.arrived()
        await alter(Worker.objects.all(), heartbeat_at=timezone.now() - LONG_AGO)
        pace(reap=0.02)
        alive = await stack.enter_async_context(serving())
        run = await ended()
        assert (run.status, run.outcome_code) == ("failed", "outcome_unknown")
        held.free.set()
        answer = await waiting
        assert (answer.status_code, answer.json()["code"]) == (502, "outcome_unknown")
        assert answer.json()["run_id"] == str(run.id)
        again = await execute(alive, world, **{"idempotency-key": "k"})
        assert (again.status_code, again.json()["code"]) == (502, "outcome_unknown")
        assert again.headers["idempotency-replayed"] == "true"
    assert len(held.calls) == 1
    await check_evidence(run)


@sync_to_async
def check_evidence(run):
    event = AuditEvent.objects.get(event_type="run_finished", run_id=run.id)
    assert event.event_data["worker"] == str(run.worker_id)
    assert event.event_data["closed_by"] != event.event_data["worker"]
    assert event.subject == run.subject
    steps = RunStep.objects.filter(run_id=run.id).order_by("id")
    assert steps.last().step_type == "reaper"
    assert run.error_text


async def test_a_run_that_was_never_sent_gives_its_key_back(held, world, pace):
    """A caller could never do what never happened."""
    pace(reap=NEVER)
    held.free.set()
    key = {"idempotency-key": "k"}
    async with serving() as client:
        assert (await execute(client, world, **key)).status_code == 201
    await alter(Run.objects.all(), status="running", ended_at=None, dispatched_at=None)
    await alter(Run.objects.all(), output_json=None, started_at=timezone.now() - LONG_AGO)
    pace(reap=0.02)
    async with serving() as client:
        assert (await ended()).outcome_code == "worker_lost"
        assert await sync_to_async(IdempotencyKey.objects.count)() == 0
        again = await execute(client, world, **key)
        assert again.status_code == 201
        assert "idempotency-replayed" not in again.headers


async def test_after_an_outage_a_new_worker_waits_for_the_others(held, world, pace):
    """Runs would be closed while they work, by the first server that starts again."""
    async with AsyncExitStack() as stack:
        pace(beat=NEVER, reap=NEVER)
        slow = await stack.enter_async_context(serving())
        waiting = asyncio.create_task(execute(slow, world))
        await held.arrived()
        await alter(Worker.objects.all(), heartbeat_at=timezone.now() - LONG_AGO)
        overdue = await overdue_like_it()
        pace(reap=0.02)
        await stack.enter_async_context(serving())
        await until(Run.objects.filter(id=overdue, outcome_code="worker_lost").exists)
        held.free.set()
        assert (await waiting).status_code == 201


@pytest.mark.usefixtures("seasoned")
async def test_runs_of_the_living_are_left_alone(held, world, pace):
    """Long runs would be closed while they work."""
    pace(reap=0.02, beat=0.02)
    async with serving() as client:
        waiting = asyncio.create_task(execute(client, world))
        await held.arrived()
        await alter(Worker.objects.all(), heartbeat_at=timezone.now() - timedelta(seconds=5))
        before = timezone.now()
        await until(Worker.objects.filter(heartbeat_at__gt=before).exists)
        held.free.set()
        assert (await waiting).status_code == 201


async def test_a_worker_leaves_no_lease_behind(held, world, pace):
    """Every restart would leave a dead worker in the table."""
    pace(beat=0.02)
    async with serving():
        await until(Worker.objects.exists)
    assert await sync_to_async(Worker.objects.count)() == 0


async def test_without_its_lease_a_worker_starts_nothing(held, world, pace, monkeypatch):
    """A worker that was cut off would run tools whose runs the others close."""
    pace(beat=NEVER)
    monkeypatch.setattr("agentxsuite.gateway.worker.lease.LEASE_SECONDS", -1.0)
    async with serving() as client:
        answer = await execute(client, world)
    assert (answer.status_code, answer.json()["code"]) == (503, "lease_lost")
    assert int(answer.headers["retry-after"]) >= 1
    assert held.calls == []
    assert await sync_to_async(Run.objects.count)() == 0
