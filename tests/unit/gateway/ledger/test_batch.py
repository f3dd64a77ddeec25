"""What goes into one batch, and in which order."""

import asyncio
from collections import deque

import pytest

from agentxsuite.gateway.ledger import batch
from agentxsuite.gateway.ledger.batch import Pending, gathered, take
from agentxsuite.gateway.rows import Change


def begin(run_id, **facts):
    return Change(run={"id": run_id, "status": "running", "input_json": ""}, **facts)


def end(run_id, **facts):
    return Change(end={"id": run_id, "status": "failed", "output_json": ""}, **facts)


@pytest.fixture
async def queued():
    """Makes a queue of changes, each of which weighs one byte."""

    def queue_of(*changes, weight=1):
        loop = asyncio.get_running_loop()
        return deque(Pending(change, weight, loop.create_future()) for change in changes)

    return queue_of


def batches(queue):
    """All batches of a queue."""
    found = []
    while queue:
        found.append([pending.change for pending in take(queue)])
    return found


async def test_a_batch_is_bounded_by_changes(queued, monkeypatch):
    """One transaction would grow until the database gives it up."""
    monkeypatch.setattr(batch, "CHANGES", 2)
    changes = [begin(str(number)) for number in range(3)]
    assert batches(queued(*changes)) == [changes[:2], changes[2:]]


async def test_a_batch_is_bounded_by_bytes(queued, monkeypatch):
    """A few large payloads would make one huge statement."""
    monkeypatch.setattr(batch, "BYTES", 25)
    changes = [begin(str(number)) for number in range(4)]
    assert batches(queued(*changes, weight=10)) == [changes[:3], changes[3:]]


async def test_a_start_and_its_end_go_together(queued):
    """Quick calls would wait for two commits."""
    changes = [begin("1"), Change(events=[{"id": "e"}]), end("1"), begin("2")]
    assert batches(queued(*changes)) == [changes]


@pytest.mark.parametrize(
    "changes",
    [
        (begin("1", key={"id": "k"}), end("1")),
        (end("1"), end("1")),
        (begin("1"), begin("1")),
        (end("1"), begin("1")),
    ],
)
async def test_what_depends_on_a_guard_waits_for_it(queued, changes):
    """One statement would judge two changes of a run by what stood before both."""
    first, second = changes
    assert batches(queued(first, second, begin("2"))) == [[first], [second, begin("2")]]


def test_a_run_from_start_to_end_is_one_row():
    """Its end would find no row to change, and be lost."""
    start = begin("1", steps=[{"id": "a"}], events=[{"id": "b"}])
    both = gathered([start, end("1", steps=[{"id": "c"}]), end("2", release=True)])
    assert both.runs == [{"id": "1", "status": "failed", "input_json": "", "output_json": ""}]
    assert [row["id"] for row in both.ends] == ["2"]
    assert [row["id"] for row in both.steps] == ["a", "c"]
    assert [row["id"] for row in both.events] == ["b"]
    assert (both.keys, both.released) == ([], ["2"])
    assert start.run["status"] == "running"
