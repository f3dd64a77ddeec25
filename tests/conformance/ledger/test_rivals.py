"""Several processes write to one PostgreSQL, and want the same rows at once."""

import asyncio
from contextlib import aclosing

import pytest

from agentxsuite.gateway import rows
from agentxsuite.gateway.asgi import open_ledger
from agentxsuite.gateway.guards import AlreadyEnded, KeyTaken
from tests.conformance.ledger.changes import begun, ending, keyed, left

pytestmark = [pytest.mark.database(only="postgres"), pytest.mark.django_db(transaction=True)]
MANY, TURNS = 200, 3


async def rivals(here, there, mine, theirs):
    """How two processes' changes went that are written at once."""
    writing = [*map(here.commit, mine), *map(there.commit, theirs)]
    ended = await asyncio.gather(*writing, return_exceptions=True)
    return [error and type(error) for error in ended]


async def test_two_that_end_the_same_runs_do_not_block_each_other(ledger, caplog):
    """When a worker dies, the others would stand still over its runs."""
    async with aclosing(open_ledger()) as other:
        for _ in range(TURNS):
            known = [begun() for _ in range(MANY)]
            await asyncio.gather(*(ledger.commit(rows.started(each)) for each in known))
            mine = [ending(each) for each in known]
            theirs = [ending(each, seconds=1, is_error=True) for each in reversed(known)]
            outcome = await rivals(ledger, other, mine, theirs)
            assert outcome.count(None) == outcome.count(AlreadyEnded) == MANY
    assert await left() == (TURNS * MANY, 2 * TURNS * MANY, 2 * TURNS * MANY, 0)
    assert not caplog.records


async def test_two_that_want_the_same_keys_share_them_out(ledger, caplog):
    """A caller that asks two workers at once would be served twice, or wait for a deadlock."""
    async with aclosing(open_ledger()) as other:
        for turn in range(TURNS):
            names = [f"{turn}-{number}" for number in range(MANY)]
            mine = [keyed(begun(), name) for name in names]
            theirs = [keyed(begun(), name) for name in reversed(names)]
            outcome = await rivals(ledger, other, mine, theirs)
            assert outcome.count(None) == outcome.count(KeyTaken) == MANY
    assert await left() == (TURNS * MANY,) * 4
    assert not caplog.records
