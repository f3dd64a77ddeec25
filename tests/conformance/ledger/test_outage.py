"""The database goes away for a while: nothing begins unrecorded, and what began still ends."""

import asyncio

import pytest

from agentxsuite.gateway import rows
from agentxsuite.gateway.ledger import PostgresWriter
from agentxsuite.gateway.refusals import Unavailable
from tests.conformance.ledger.changes import begun, ending, left, run_of

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


async def test_an_end_outlasts_an_outage(shaky, opened):
    """The answer of a tool that ran would be lost with a database that restarts."""
    known, running = begun(), begun()
    async with opened(shaky.writer()) as ledger:
        await asyncio.gather(*(ledger.commit(rows.started(each)) for each in (known, running)))
        shaky.away()
        end = ledger.commit(ending(known))
        with pytest.raises(Unavailable):
            await ledger.commit(rows.started(begun()))
        assert not end.done()
        shaky.back()
        await end
        await ledger.commit(rows.started(begun()))
    assert (await run_of(known)).status == "succeeded"
    assert await left() == (3, 4, 4, 0)


async def test_an_outage_is_outlasted_only_so_long(shaky, opened):
    """Callers would wait for ever for a database that does not come back."""
    known = begun()
    async with opened(shaky.writer(), retry_seconds=0.1) as ledger:
        await ledger.commit(rows.started(known))
        shaky.away()
        with pytest.raises(Unavailable):
            await ledger.commit(ending(known))
        shaky.back()
    assert (await run_of(known)).status == "running"


@pytest.mark.database(only="postgres")
async def test_a_hung_database_is_noticed(relay, opened, tenant):
    """Every call would hang with the database, and none could be tried elsewhere."""
    async with opened(PostgresWriter(relay.conninfo, answer_seconds=0.2)) as ledger:
        await ledger.commit(rows.started(begun()))
        relay.freeze()
        async with asyncio.timeout(3):
            with pytest.raises(Unavailable):
                await ledger.commit(rows.started(begun()))
        relay.thaw()
        await ledger.commit(rows.started(begun()))


@pytest.mark.database(only="postgres")
async def test_an_end_whose_confirmation_is_lost_is_written_once(relay, opened, tenant):
    """A connection that breaks at the wrong moment would double a run's steps."""
    known = begun()
    async with opened(PostgresWriter(relay.conninfo, answer_seconds=0.2)) as ledger:
        await ledger.commit(rows.started(known))
        relay.mute()
        end = ledger.commit(ending(known))
        while (await run_of(known)).status == "running":
            assert not end.done()
        relay.cut()
        relay.thaw()
        await end
    assert await left() == (1, 2, 2, 0)
