"""Lost runs are closed by whoever finds them, once, and say what is known."""

import json

import pytest

from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.rows import LostRun, stamp
from agentxsuite.gateway.worker.lease import LEASE_SECONDS, NOBODY_SECONDS
from agentxsuite.gateway.worker.reaper import reap, sweep
from tests.unit.gateway.building import AGENT, ENVIRONMENT, NOON, ORGANIZATION, TOOL
from tests.unit.gateway.shelf import AWAY, Clock, Shelf, gate

RUN, WORKER, DECISION = (f"0198f000-0000-7000-8000-00000000000{digit}" for digit in "123")


def lost(**facts):
    known = dict.fromkeys(LostRun.__struct_fields__)
    known |= {
        "id": RUN,
        "organization_id": ORGANIZATION,
        "environment_id": ENVIRONMENT,
        "agent_id": AGENT,
        "tool_id": TOOL,
        "agent_name": "Clerk",
        "tool_name": "pay/transfer",
        "subject": f"agent:{AGENT}",
        "decision_id": DECISION,
        "door": "rest",
        "worker_id": WORKER,
        "dispatched_at": stamp(NOON),
    }
    return LostRun(**known | facts)


@pytest.fixture
def shelf():
    found = Shelf()
    found.lost_runs, found.running = [lost()], {RUN}
    return found


async def test_a_run_that_was_sent_ends_with_an_unknown_outcome(shelf, caplog):
    """A run would stay open for ever, or pass for one that may be repeated."""
    door = gate(shelf)
    await reap(door)
    (change,) = shelf.changes
    assert change.end["outcome_code"] == "outcome_unknown"
    assert change.end["ended_at"] == stamp(NOON)
    assert not change.release
    (event,) = change.events
    assert (event["event_type"], event["target"]) == ("run_finished", "tool:pay/transfer")
    facts = json.loads(event["event_data"])
    assert facts["closed_by"] == door.lease.worker.id
    assert facts["worker"] == WORKER
    (step,) = change.steps
    assert (step["run_id"], step["message"]) == (RUN, change.end["error_text"])
    assert caplog.messages == [f"run {RUN} was lost with worker {WORKER}"]


async def test_a_run_that_was_never_sent_gives_its_key_back(shelf):
    """A caller could not repeat what never happened."""
    shelf.lost_runs = [lost(dispatched_at=None)]
    await reap(gate(shelf))
    (change,) = shelf.changes
    assert change.end["outcome_code"] == "worker_lost"
    assert change.release


async def test_several_reapers_do_not_disturb_each_other(shelf, caplog):
    """Two workers would log errors, or write two ends."""
    shelf.running = set()
    await reap(gate(shelf))
    assert shelf.changes == []
    assert caplog.messages == []


async def test_an_end_that_cannot_be_written_waits_for_the_next_round(shelf):
    """A lost run would be forgotten while the database is away."""
    shelf.failures = [AWAY]
    with pytest.raises(Unavailable):
        await reap(gate(shelf))
    assert shelf.running == {RUN}


async def test_a_worker_without_a_lease_judges_nobody(shelf):
    """A worker that was cut off would close the runs of all the others."""
    clock = Clock()
    door = gate(shelf, clock)
    clock.now += LEASE_SECONDS + 1
    await reap(door)
    assert shelf.asked == []


async def test_a_worker_that_has_just_begun_closes_only_what_is_overdue(shelf):
    """After an outage runs of living workers would be closed; or overdue ones stay open."""
    clock = Clock()
    door = gate(shelf, clock)
    await reap(door)
    assert shelf.patience == NOBODY_SECONDS
    assert shelf.running == set()
    clock.now += LEASE_SECONDS
    await reap(door)
    assert shelf.patience == LEASE_SECONDS


async def test_old_keys_are_swept(shelf):
    """Keys would fill the database."""
    await sweep(gate(shelf))
    assert shelf.asked == ["sweep"]
