"""One suite for both ledgers: what is committed is there, whole, and nothing else is harmed."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run, RunStep
from agentxsuite.gateway import rows
from agentxsuite.gateway.call import Outcome
from agentxsuite.gateway.ledger import GroupCommit
from agentxsuite.gateway.record import settled
from agentxsuite.gateway.refusals import Unavailable, Unrecordable
from tests.conformance.ledger.changes import begun, run_of
from tests.unit.gateway.building import NOON, call

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@sync_to_async
def one_run():
    return Run.objects.get()


@sync_to_async
def count(model):
    return model.objects.count()


async def test_a_run_is_on_record_from_start_to_end(ledger):
    """Nobody could prove what happened."""
    known = begun(call=call(arguments={"amount": 10**29}))
    await ledger.commit(rows.started(known))
    run = await one_run()
    assert run.status == "running"
    assert run.input_json == {"amount": 10**29}
    assert run.started_at == NOON
    assert run.tool_name == "pay/transfer"

    known.outcome, known.ended = Outcome({"content": []}, is_error=False), NOON
    await ledger.commit(rows.finished(known))
    run = await one_run()
    assert (run.status, run.outcome_code) == ("succeeded", None)
    assert run.output_json == {"content": []}
    assert await count(RunStep) == 1
    events = await sync_to_async(
        lambda: list(AuditEvent.objects.order_by("id").values_list("event_type", "rule_name"))
    )()
    assert events == [("run_started", "allow tool:*"), ("run_finished", "allow tool:*")]


async def test_many_at_once_are_all_written(ledger):
    """Under load, records would be lost or mixed up."""
    entries = [begun() for _ in range(300)]
    await asyncio.gather(*(ledger.commit(rows.started(each)) for each in entries))
    assert await count(Run) == 300
    for each in entries:
        each.outcome, each.ended = Outcome({}, is_error=True), NOON
    await asyncio.gather(*(ledger.commit(rows.finished(each)) for each in entries))
    done = sync_to_async(lambda: Run.objects.filter(outcome_code="tool_error").count())
    assert await done() == 300


async def test_one_bad_row_harms_nobody_else(ledger):
    """A call that cannot be recorded would take its neighbours' records along."""
    first, second, third = begun(), begun(), begun()
    once = rows.started(second)
    twice = rows.Change(run=once.run)
    changes = [rows.started(first), once, twice, rows.started(third)]
    ended = await asyncio.gather(*map(ledger.commit, changes), return_exceptions=True)
    assert [type(each) for each in ended] == [type(None), type(None), Unrecordable, type(None)]
    assert ended[2].code == "ledger_unavailable"
    assert await count(Run) == 3


async def test_who_hangs_up_meanwhile_is_written_all_the_same(ledger):
    """A caller could erase a record by leaving early."""
    known = begun()
    task = asyncio.ensure_future(settled(ledger.commit(rows.started(known))))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ledger.commit(rows.started(begun())).cancel()
    await ledger.commit(rows.started(begun()))
    assert await count(Run) == 3


@pytest.mark.parametrize("bound", [{"max_changes": 1}, {"max_bytes": 6000}])
async def test_a_full_queue_refuses_instead_of_growing(ledger, bound):
    """A slow database would eat all memory."""
    narrow = GroupCommit(ledger._database, **bound)
    changes = [rows.started(begun()) for _ in range(4)]
    ended = await asyncio.gather(*map(narrow.commit, changes), return_exceptions=True)
    refused = [each for each in ended if isinstance(each, Unavailable)]
    assert refused
    assert refused[0].retry_after > 0
    assert await count(Run) == 4 - len(refused)


@pytest.mark.database(only="postgres")
async def test_a_row_that_is_too_large_spoils_nobody_elses_record(ledger):
    """One text that an index cannot hold would pass for an outage, and stop every call."""
    known, unfit = begun(), rows.started(begun())
    unfit.events[0]["target"] = "".join(map(chr, range(0x10000, 0x10400)))
    writing = [ledger.commit(rows.started(known)), ledger.commit(unfit)]
    good, bad = await asyncio.gather(*writing, return_exceptions=True)
    assert good is None
    assert isinstance(bad, Unrecordable)
    assert (await run_of(known)).status == "running"
