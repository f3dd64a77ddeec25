"""A change whose condition does not hold is left out alone; both ledgers."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.runs.models import IdempotencyKey
from agentxsuite.gateway import rows
from agentxsuite.gateway.guards import AlreadyEnded, KeyTaken
from tests.conformance.ledger.changes import FOREIGN, begun, ending, keyed, left, releasing, run_of

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


async def written(ledger, *changes):
    """How each of the changes went that are begun at once, by name; None where it was written."""
    ended = await asyncio.gather(*map(ledger.commit, changes), return_exceptions=True)
    return [error and type(error) for error in ended]


async def test_a_key_is_reserved_once(ledger):
    """A caller that asks again after a lost answer would pay twice."""
    tries = [keyed(begun()) for _ in range(10)]
    outcome = await written(ledger, *tries)
    assert sorted(map(str, outcome)) == sorted(["None", *[str(KeyTaken)] * 9])
    assert await left() == (1, 1, 1, 1)
    first = await sync_to_async(IdempotencyKey.objects.get)()
    assert outcome[[try_.run_id for try_ in tries].index(str(first.run_id))] is None


async def test_a_taken_key_spoils_nobody_elses_record(ledger):
    """One caller's repetition would fail calls of others."""
    assert await written(ledger, keyed(begun())) == [None]
    older = begun()
    await ledger.commit(rows.started(older))
    changes = [rows.started(begun()), keyed(begun()), keyed(begun(), "other"), ending(older)]
    assert await written(ledger, *changes) == [None, KeyTaken, None, None]
    assert (await run_of(older)).status == "succeeded"
    assert await left() == (4, 5, 5, 2)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"organization_id": FOREIGN},
        {"principal": "agent:other"},
        {"method": "PUT"},
        {"path": "/elsewhere/"},
    ],
)
async def test_a_key_belongs_to_its_caller_and_address(ledger, elsewhere):
    """A stranger could block or replay somebody's calls by guessing keys."""
    assert await written(ledger, keyed(begun()), keyed(begun(), **elsewhere)) == [None, None]


async def test_a_released_key_is_free_again(ledger):
    """A call that never left the gateway could not be tried again."""
    first, second = begun(), begun()
    await ledger.commit(keyed(first))
    assert await written(ledger, releasing(ending(first))) == [None]
    assert await written(ledger, keyed(second), ending(second)) == [None, None]
    assert await written(ledger, keyed(begun())) == [KeyTaken]


async def test_a_run_ends_once(ledger):
    """A late worker could overwrite how a run ended, or free a key whose call was sent."""
    known, neighbour = begun(), begun()
    await written(ledger, keyed(known), rows.started(neighbour))
    await ledger.commit(ending(known))
    before = await left()
    late = releasing(ending(known, seconds=1, is_error=True))
    assert await written(ledger, late, ending(neighbour)) == [AlreadyEnded, None]
    assert (await run_of(known)).status == "succeeded"
    runs, steps, events, keys = before
    assert await left() == (runs, steps + 1, events + 1, keys)


async def test_of_two_ends_at_once_the_first_counts(ledger):
    """A run's record would say one thing and its events another."""
    known = begun()
    await ledger.commit(rows.started(known))
    ends = [ending(known), ending(known, seconds=1, is_error=True)]
    assert await written(ledger, *ends) == [None, AlreadyEnded]
    assert (await run_of(known)).status == "succeeded"
    assert await left() == (1, 2, 2, 0)


async def test_a_run_that_never_began_does_not_end(ledger):
    """The end of a run whose start was lost would stand alone on record."""
    assert await written(ledger, ending(begun())) == [AlreadyEnded]
    assert await left() == (0, 0, 0, 0)


async def test_an_end_told_twice_is_written_once(ledger):
    """After a broken connection steps would be doubled, or a recorded answer taken for lost."""
    known = begun()
    await ledger.commit(rows.started(known))
    end = ending(known)
    assert await written(ledger, end, end) == [None, None]
    assert await left() == (1, 2, 2, 0)


async def test_a_run_may_start_and_end_at_once(ledger):
    """A quick call's end would be lost beside its start."""
    whole, under_key, refused = begun(), begun(), begun()
    taken = keyed(begun(), "taken")
    changes = [
        *(rows.started(whole), ending(whole)),
        *(keyed(under_key), ending(under_key)),
        *(taken, keyed(refused, "taken"), ending(refused)),
    ]
    outcome = await written(ledger, *changes)
    assert outcome == [None, None, None, None, None, KeyTaken, AlreadyEnded]
    for known in (whole, under_key):
        assert (await run_of(known)).status == "succeeded"
    assert await left() == (3, 5, 5, 2)
