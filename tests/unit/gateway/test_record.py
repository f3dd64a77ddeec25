"""However a call ends: what is written, and what its caller is told."""

import asyncio
import json
from contextlib import aclosing

import pytest

from agentxsuite.gateway import rows
from agentxsuite.gateway.call import Outcome
from agentxsuite.gateway.facts import Offer
from agentxsuite.gateway.guards import KeyTaken
from agentxsuite.gateway.idempotency import digest
from agentxsuite.gateway.ledger import GroupCommit
from agentxsuite.gateway.ledger.columns import ONE_KEY
from agentxsuite.gateway.record import begin, note, recorded, start
from agentxsuite.gateway.refusals import (
    InFlight,
    NeverSent,
    NotRecorded,
    OutcomeUnknown,
    RunCancelled,
    Unavailable,
    UpstreamFailed,
)
from agentxsuite.gateway.worker.lease import LEASE_SECONDS
from tests.unit.gateway.building import NOON, call, connection, entry
from tests.unit.gateway.shelf import AWAY, Clock, Shelf, Stuck, gate, stored_run


@pytest.fixture
def shelf():
    return Shelf()


def opened(door, **facts):
    """A recorded call that has been identified and has found its tool."""
    story = recorded(call(**facts), door)
    story.entry = entry(call=call(**facts))
    return story


async def test_a_run_names_the_worker_that_runs_it(shelf):
    """Nobody could tell whose runs a dead worker has left."""
    door = gate(shelf)
    async with opened(door) as known:
        assert await start(known, door)
        assert known.worker_id == door.lease.worker.id
        known.outcome = Outcome({}, is_error=False)
    assert shelf.changes[0].run["worker_id"] == door.lease.worker.id
    assert shelf.changes[1].end["status"] == "succeeded"


async def test_nothing_is_read_that_cannot_be_recorded(shelf):
    """A resource would be read with no trace of it."""
    door = gate(shelf)
    shelf.failures = [AWAY]
    with pytest.raises(Unavailable):
        async with opened(door) as known:
            await begin(known, door)
    assert known.started is None
    assert shelf.changes == []


async def test_a_reading_whose_end_cannot_be_recorded_is_not_answered(shelf):
    """Somebody would have read what the record does not know of."""
    door = gate(shelf)
    story = opened(door)
    story.entry.target = Offer("resource.read", connection(), "x:y", "x:y", "resource:pay/x/_/y")
    await begin(story.entry, door)
    story.entry.outcome = Outcome({}, is_error=False)
    shelf.failures = [AWAY]
    with pytest.raises(Unavailable) as refused:
        await story.__aexit__(None, None, None)
    assert refused.value.recorded.run_id is None
    assert [row["event_type"] for each in shelf.changes for row in each.events] == ["use_started"]


async def test_nothing_starts_without_a_lease(shelf):
    """A tool would run whose run the others have closed, and nothing be on record."""
    clock = Clock()
    door = gate(shelf, clock)
    clock.now += LEASE_SECONDS + 1
    story = opened(door)
    known = story.entry

    async def run():
        async with story:
            await start(known, door)

    with pytest.raises(Unavailable) as refused:
        await run()
    assert refused.value.code == "lease_lost"
    assert shelf.changes == []


async def test_a_key_is_reserved_with_its_run(shelf):
    """Of two equal requests both could be sent."""
    door = gate(shelf)
    async with opened(door, key="k") as known:
        known.reserved = {"key": "k"}
        assert await start(known, door)
    assert shelf.changes[0].key == {"key": "k"}


async def test_a_start_of_unknown_fate_is_given_up(shelf):
    """A run that was never sent would stay open and keep its key."""
    door = gate(shelf)
    shelf.failures = [AWAY]
    shelf.running = Everything()
    story = opened(door)
    known = story.entry

    async def run():
        async with story:
            await start(known, door)

    with pytest.raises(Unavailable):
        await run()
    (change,) = shelf.changes
    assert change.end["outcome_code"] == "worker_lost"
    assert change.end["id"] == known.run_id
    assert change.release
    facts = json.loads(change.events[0]["event_data"])
    assert facts["outcome_code"] == "worker_lost"


class Everything(set):
    """Has whatever is asked for: starts that came through unseen."""

    def __contains__(self, _):
        return True

    def remove(self, _):
        """Keep it."""


async def test_starts_that_were_never_taken_leave_room_for_ends():
    """Under overload what tools have done would not be recorded."""
    database = Stuck()
    async with aclosing(GroupCommit(database, max_changes=2)) as ledger:
        door = gate(ledger)
        waiting = [asyncio.ensure_future(start(entry(), door)) for _ in range(2)]
        await asyncio.sleep(0)  # they begin
        for _ in range(100):
            with pytest.raises(NotRecorded):
                await start(entry(), door)
        end = ledger.commit(rows.finished(entry(started=NOON, ended=NOON)))
        database.free.set()
        await end
        assert await asyncio.gather(*waiting) == [True, True]
    assert sum(len(batch.ends) for batch in database.batches) == 1


async def test_a_caller_that_goes_while_its_start_is_written_leaves_nothing_sent():
    """The record would tell of a call that was never made, and its key be taken for a day."""
    database = Stuck()
    async with aclosing(GroupCommit(database)) as ledger:
        door = gate(ledger)
        story = opened(door, key="k")
        known = story.entry
        known.reserved = dict.fromkeys(ONE_KEY, "k")

        async def run():
            async with story:
                await start(known, door)

        calling = asyncio.create_task(run())
        await database.asked.wait()
        calling.cancel()
        database.free.set()
        with pytest.raises(asyncio.CancelledError):
            await calling
    begun, given_up = database.batches
    assert [run["id"] for run in begun.runs] == [known.run_id]
    (end,) = given_up.ends
    assert (end["id"], end["outcome_code"]) == (known.run_id, "worker_lost")
    assert end["error_text"] == NeverSent().detail
    assert given_up.released == [known.run_id]


async def test_giving_up_fails_in_silence(shelf, caplog):
    """An outage would fill the log with futures that nobody read."""
    door = gate(shelf)
    shelf.failures = [AWAY, AWAY]
    story = opened(door)
    known = story.entry

    async def run():
        async with story:
            await start(known, door)

    with pytest.raises(Unavailable):
        await run()
    assert shelf.changes == []
    assert caplog.messages == []


async def test_a_key_taken_meanwhile_is_answered_from_the_record(shelf):
    """Two equal requests at once would both be sent, or one of them fail."""
    door = gate(shelf)
    async with opened(door, key="k") as known:
        shelf.found = [stored_run(digest=digest(known.call, known.principal, known.target))]
        shelf.failures = [KeyTaken()]
        assert not await start(known, door)
        assert known.replayed
    assert shelf.changes == []


async def test_a_key_taken_and_given_back_is_asked_for_again(shelf):
    """A caller would be told that its request ran, and no run be there."""
    door = gate(shelf)
    shelf.failures = [KeyTaken()]
    story = opened(door, key="k")
    known = story.entry

    async def run():
        async with story:
            note(known, door, "decision", "allow")
            await start(known, door)

    with pytest.raises(InFlight):
        await run()
    (change,) = shelf.changes  # its refusal, with the steps that led to it
    assert change.run["outcome_code"] == "throttled"
    assert change.run["started_at"] is None
    assert [step["step_type"] for step in change.steps] == ["decision", "refusal"]


async def test_a_run_that_was_closed_meanwhile_has_an_unknown_outcome(shelf):
    """A caller would hold an answer that the record contradicts."""
    door = gate(shelf)
    story = opened(door)
    known = story.entry

    async def run():
        async with story:
            await start(known, door)
            shelf.running.clear()
            known.outcome = Outcome({}, is_error=False)

    with pytest.raises(OutcomeUnknown) as refused:
        await run()
    assert refused.value.recorded.run_id == known.run_id


async def test_an_end_that_cannot_be_recorded_names_its_run(shelf):
    """A caller could not find out later how its call ended."""
    door = gate(shelf)
    story = opened(door)
    known = story.entry

    async def run():
        async with story:
            await start(known, door)
            shelf.failures = [AWAY]
            known.outcome = Outcome({}, is_error=False)

    with pytest.raises(Unavailable) as refused:
        await run()
    assert refused.value.code == "ledger_unavailable"
    assert refused.value.recorded.run_id == known.run_id
    assert AWAY.recorded is None


async def test_a_cancelled_run_is_told_and_its_task_lives_on(shelf):
    """Who waits for a cancelled run would see the connection break."""
    door = gate(shelf)
    story = opened(door)
    known = story.entry

    async def run():
        async with story:
            await start(known, door)
            door.lease.cancel([known.run_id])
            await asyncio.Event().wait()

    with pytest.raises(RunCancelled) as refused:
        await run()
    assert asyncio.current_task().cancelling() == 0
    assert refused.value.recorded.run_id == known.run_id
    assert shelf.changes[-1].end["outcome_code"] == "cancelled"


async def test_a_replayed_refusal_is_not_recorded_again(shelf):
    """Every retry would add a run that never was."""
    door = gate(shelf)
    story = opened(door)
    known = story.entry

    async def run():
        async with story:
            known.replayed = True
            raise UpstreamFailed("upstream_rpc", "It broke.")

    with pytest.raises(UpstreamFailed):
        await run()
    assert shelf.changes == []
