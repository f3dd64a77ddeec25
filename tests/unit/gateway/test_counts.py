"""What a flood leaves: counts that are few, that fit, and that are not lost."""

import asyncio
import json
from contextlib import aclosing

import pytest

from agentxsuite.gateway.call import Entry
from agentxsuite.gateway.ledger import GroupCommit
from agentxsuite.gateway.record import recorded, refusal_key, write_counts
from agentxsuite.gateway.refusal_meter import WRITTEN
from agentxsuite.gateway.refusals import Bearer, Unauthenticated, Unavailable, Unrecordable
from tests.unit.gateway.building import AGENT, ENVIRONMENT, ORGANIZATION, call, entry
from tests.unit.gateway.shelf import AWAY, Shelf, Stuck, gate

MISUSED = Unauthenticated(
    "token_revoked", "Revoked.", Bearer(ORGANIZATION, ENVIRONMENT, AGENT, "jti")
)
TOOLS = [f"tool:pay/{number}" for number in range(3)]
KEYS = [(ORGANIZATION, ENVIRONMENT, f"agent:{AGENT}", tool, "denied") for tool in TOOLS]


def flooded(ledger):
    """A gate that has counted three kinds of refusals."""
    door = gate(ledger)
    door.refusals.keep([(key, 7) for key in KEYS])
    return door


def written(changes):
    """The targets and numbers of what was counted."""
    events = [event for change in changes for event in change.events]
    return {event["target"]: json.loads(event["event_data"])["count"] for event in events}


async def refused(door, **facts):
    async with recorded(call(**facts), door):
        raise MISUSED


async def test_a_stolen_token_leaves_one_count_whatever_it_asks_for():
    """Who holds a revoked token could fill the disk, with a new name of a tool each time."""
    door = gate(Shelf())
    for number in range(WRITTEN.burst + 50):
        with pytest.raises(Unauthenticated):
            await refused(door, tool=f"made/up-{number}")
    ((key, count),) = door.refusals.drain()
    assert key == (ORGANIZATION, ENVIRONMENT, f"agent:{AGENT}", "", "token_revoked")
    assert count > 0


def test_a_tool_that_is_there_counts_by_its_name():
    """An auditor could not see which tool an agent keeps asking for."""
    code = MISUSED.code
    assert refusal_key(entry(), Unauthenticated(code, ""))[3:] == ("tool:pay/transfer", code)
    assert refusal_key(entry(target=None), Unauthenticated(code, ""))[3:] == ("", code)
    stranger = None, None, "address:192.0.2.7", "", code
    assert refusal_key(Entry(call()), Unauthenticated(code, "")) == stranger


async def test_a_count_that_the_database_refuses_holds_up_no_other(caplog):
    """Nothing counted would be written any more, by anybody."""
    shelf = Shelf()
    shelf.failures = [Unrecordable()]
    door = flooded(shelf)
    await write_counts(door)
    assert written(shelf.changes) == dict.fromkeys(TOOLS[1:], 7)
    assert list(door.refusals.drain()) == []
    assert [line.split(" refusals")[0] for line in caplog.messages] == ["7"]
    assert TOOLS[0] in caplog.text


async def test_counts_wait_for_a_database_that_is_away():
    """A flood during an outage would not be on record."""
    shelf = Shelf()
    shelf.failures = [None, AWAY]
    door = flooded(shelf)
    with pytest.raises(Unavailable):
        await write_counts(door)
    assert written(shelf.changes) == {TOOLS[0]: 7}
    await write_counts(door)
    assert written(shelf.changes) == dict.fromkeys(TOOLS, 7)


async def test_counts_outlast_a_round_that_is_broken_off():
    """A server that stops would forget a flood, or count it twice."""
    database = Stuck()
    async with aclosing(GroupCommit(database)) as ledger:
        door = flooded(ledger)
        counting = asyncio.create_task(write_counts(door))
        await database.asked.wait()
        counting.cancel()
        database.free.set()
        with pytest.raises(asyncio.CancelledError):
            await counting
        await write_counts(door)
    assert written(database.batches) == dict.fromkeys(TOOLS, 7)
    assert sum(len(batch.events) for batch in database.batches) == len(TOOLS)
