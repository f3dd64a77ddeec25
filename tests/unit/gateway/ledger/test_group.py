"""How the group treats its database, whichever that is; here it fails by a plan."""

import asyncio
from contextlib import aclosing

import pytest

from agentxsuite.gateway.ledger import GroupCommit, group
from agentxsuite.gateway.ledger.database import Away, Words, WriteFailed
from agentxsuite.gateway.refusals import NotRecorded, Unavailable, Unrecordable
from agentxsuite.gateway.rows import Change


class Planned:
    """A database that keeps batches in memory and fails as planned, one word a write."""

    words = Words(mark="?", now="", ago="", due="")

    def __init__(self, *plan):
        self.plan, self.written = list(plan), []

    async def write(self, batch):
        await asyncio.sleep(0)
        error = self.plan.pop(0) if self.plan else None
        if error:
            raise error("as planned")
        self.written.append([row["id"] for row in (*batch.runs, *batch.ends)])
        return ()

    async def run(self, statement, parameters):
        return []

    async def aclose(self):
        assert not self.plan


def begin(run_id):
    return Change(run={"id": run_id, "input_json": ""})


def end(run_id):
    return Change(end={"id": run_id, "output_json": ""})


async def tried(database, *changes, **bounds):
    """How each of the changes went that came at once; None where it was written."""
    async with aclosing(GroupCommit(database, **bounds)) as ledger:
        ended = await asyncio.gather(*map(ledger.commit, changes), return_exceptions=True)
    return [error and type(error) for error in ended]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(group, "RETRY_PAUSE", 0.0)


async def test_a_bad_batch_is_written_change_by_change():
    """One bad row would spoil everybody's record."""
    database = Planned(WriteFailed, None, WriteFailed)
    outcome = await tried(database, begin("1"), begin("2"), begin("3"))
    assert outcome == [None, Unrecordable, None]
    assert database.written == [["1"], ["3"]]


async def test_a_database_that_goes_in_the_midst_is_not_asked_for_each_change():
    """Callers would wait for hundreds of timeouts, one after the other."""
    database = Planned(WriteFailed, None, Away)
    outcome = await tried(database, begin("1"), begin("2"), end("3"), begin("4"))
    assert outcome == [None, Unavailable, None, Unavailable]  # on record or not: nobody knows
    assert database.written == [["1"], ["3"]]


async def test_ends_are_tried_until_they_are_written():
    """What a tool did would not be on record after a short outage."""
    database = Planned(Away, Away, Away)
    assert await tried(database, end("1"), begin("2"), end("3")) == [None, Unavailable, None]
    assert database.written == [["1", "3"]]


async def test_ends_are_given_up_in_time():
    """Their callers would wait for ever."""
    assert await tried(Planned(Away), end("1"), retry_seconds=0.0) == [Unavailable]


async def test_what_is_being_written_counts_as_held():
    """A slow database would let twice as much into memory as was meant."""
    async with aclosing(GroupCommit(Planned(), max_changes=2)) as ledger:
        first = ledger.commit(begin("1"))
        await asyncio.sleep(0)
        rest = [ledger.commit(begin(number)) for number in "23"]
        ended = await asyncio.gather(first, *rest, return_exceptions=True)
        assert [error and type(error) for error in ended] == [None, None, NotRecorded]
        await ledger.commit(begin("4"))


async def test_what_began_can_end_when_the_queue_is_full():
    """Under load finished runs would be left open, and their answers lost."""
    changes = [begin("1"), begin("2"), end("3"), end("4")]
    assert await tried(Planned(), *changes, max_changes=1) == [None, NotRecorded, None, NotRecorded]
