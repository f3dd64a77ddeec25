"""Who lives, what they shall cancel, and what the dead have left; both databases."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from msgspec import structs

from agentxsuite.control.runs.models import IdempotencyKey, Run, Worker
from agentxsuite.control.tenancy.models import KeptAnswer
from agentxsuite.gateway import rows
from agentxsuite.gateway.ledger import GroupCommit, PostgresWriter, SqliteWriter
from agentxsuite.gateway.ledger.database import WriteFailed
from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.rows import WorkerRow
from tests.conformance.ledger.changes import begun, ending, keyed
from tests.unit.gateway.building import AGENT, ORGANIZATION
from tests.witness import forging

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

LEASE, GRACE = 20.0, 20.0  # seconds


@pytest.fixture
def worker():
    return WorkerRow(str(uuid4()), "host.example", 4711)


@sync_to_async
def is_silent(worker, seconds=LEASE + 5):
    """Let the worker's last heartbeat be so long ago."""
    moment = timezone.now() - timedelta(seconds=seconds)
    with forging():
        Worker.objects.filter(id=worker.id).update(heartbeat_at=moment)


@sync_to_async
def workers():
    return [str(known) for known in Worker.objects.values_list("id", flat=True)]


@sync_to_async
def wish_cancelled(known):
    Run.objects.filter(id=known.run_id).update(cancel_requested_at=timezone.now())


async def start(ledger, worker=None, *, seconds=0.0, allowed=30.0):
    """A run of the worker that was started so many seconds ago."""
    known = begun(timeout=allowed)
    known.started = datetime.now(UTC) - timedelta(seconds=seconds)
    change = rows.started(known)
    run = change.run | {"worker_id": worker.id if worker else None}
    await ledger.commit(structs.replace(change, run=run))
    return known


async def lost(ledger):
    return [run.id for run in await ledger.lost(LEASE, GRACE)]


async def test_a_heartbeat_tells_which_runs_to_cancel(ledger, worker):
    """Nobody could stop a run that is under way."""
    wanted, other = await start(ledger, worker), await start(ledger, worker)
    foreign = await start(ledger, WorkerRow(str(uuid4()), "other.example", 1))
    assert list(await ledger.beat(worker)) == []
    for known in (wanted, foreign):
        await wish_cancelled(known)
    assert list(await ledger.beat(worker)) == [wanted.run_id]
    assert list(await ledger.cancelled(worker.id)) == [wanted.run_id]
    await ledger.commit(ending(wanted))
    assert list(await ledger.cancelled(worker.id)) == []
    assert await workers() == [worker.id]
    assert other.run_id not in await lost(ledger)


async def test_only_the_dead_have_lost_runs(ledger, worker):
    """Runs of a crashed worker would run for ever on record, or living ones be closed."""
    await ledger.beat(worker)
    held = await start(ledger, worker, seconds=25)
    unknown, young = await start(ledger, seconds=25), await start(ledger, seconds=15)
    assert await lost(ledger) == [unknown.run_id]
    await is_silent(worker)
    assert await lost(ledger) == [held.run_id, unknown.run_id]
    await ledger.beat(worker)
    assert await lost(ledger) == [unknown.run_id]
    await ledger.commit(ending(unknown))
    await ledger.leave(worker.id)
    assert await lost(ledger) == [held.run_id]
    assert young.run_id not in await lost(ledger)


async def test_a_run_is_overdue_after_its_timeout_and_grace(ledger, worker):
    """A living worker that forgot a run would leave it running for ever."""
    await ledger.beat(worker)
    late = await start(ledger, worker, seconds=26, allowed=5)
    await start(ledger, worker, seconds=24, allowed=5)
    (run,) = await ledger.lost(LEASE, GRACE)
    assert run.id == late.run_id
    assert (run.organization_id, run.agent_id, run.worker_id) == (ORGANIZATION, AGENT, worker.id)
    assert (run.status, run.outcome_code, run.timeout_seconds) == ("running", None, 5.0)
    assert run.started_at == run.dispatched_at == rows.stamp(late.started)
    assert (run.ended_at, run.run_as_user_id) == (None, None)


HOLDER = uuid4()


async def test_what_nobody_needs_is_swept_away(ledger, worker):
    """Keys and leases would fill the disk, or a dead worker's runs lose who ran them."""
    idle, busy = (WorkerRow(str(uuid4()), "host.example", n) for n in range(2))
    for each in (worker, idle, busy):
        await ledger.beat(each)
    held = await start(ledger, busy, seconds=25)
    old, young = (datetime.now(UTC) - timedelta(hours=hours) for hours in (25, 23))
    await ledger.commit(keyed(begun(), "old", created_at=rows.stamp(old)))
    await ledger.commit(keyed(begun(), "young", created_at=rows.stamp(young)))
    answers = KeptAnswer.objects
    for key, moment in (("old", old), ("young", young)):
        await answers.acreate(holder=HOLDER, address="POST /", key=key, created_at=moment)
    for each in (idle, busy):
        await is_silent(each)
    await ledger.sweep(LEASE)
    assert [answer.key async for answer in answers.all()] == ["young"]
    keys = sync_to_async(lambda: list(IdempotencyKey.objects.values_list("key", flat=True)))
    assert await keys() == ["young"]
    assert sorted(await workers()) == sorted([worker.id, busy.id])
    await ledger.commit(ending(held))
    await ledger.sweep(LEASE)
    assert await workers() == [worker.id]


async def test_many_old_keys_are_swept_in_portions(ledger, monkeypatch):
    """After a long stop one huge deletion would fail again and again."""
    monkeypatch.setattr("agentxsuite.gateway.ledger.leases.SWEPT_AT_ONCE", 2)
    for number in range(5):
        await ledger.commit(keyed(begun(), str(number)))  # noon of a day long gone
    await ledger.sweep(LEASE)
    assert await sync_to_async(IdempotencyKey.objects.count)() == 0


@pytest.mark.parametrize(
    "writer",
    [
        lambda: SqliteWriter("/nowhere/at/all.sqlite3"),
        lambda: PostgresWriter("host=/nowhere dbname=none"),
    ],
)
async def test_who_cannot_reach_the_database_learns_it(writer, worker):
    """A worker would believe that its lease is good."""
    async with aclosing(GroupCommit(writer())) as ledger:
        with pytest.raises(Unavailable):
            await ledger.beat(worker)


@pytest.mark.database(only="postgres")
async def test_the_ledger_reads_no_payload(ledger):
    """Whoever broke into the ledger's role could read every tenant's data."""
    await ledger.commit(rows.started(begun()))
    for column in ("input_json", "output_json", "error_text"):
        with pytest.raises(WriteFailed, match="permission denied"):
            await ledger._database.run(f"SELECT {column} FROM runs_run", ())  # noqa: S608 - ours
