"""What a worker does for its lease."""

import pytest

from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.worker.heartbeat import beat, leave, watch
from agentxsuite.gateway.worker.lease import LEASE_SECONDS
from tests.unit.gateway.shelf import AWAY, Clock, Shelf, gate


@pytest.fixture
def shelf():
    return Shelf()


async def test_a_heartbeat_renews_the_lease(shelf):
    """A worker would stop to work after twenty seconds."""
    clock = Clock()
    door = gate(shelf, clock)
    clock.now += LEASE_SECONDS + 1
    await beat(door)
    door.lease.check()


async def test_a_heartbeat_that_fails_renews_nothing(shelf):
    """A worker would run on while the others close its runs."""
    clock = Clock()
    door = gate(shelf, clock)
    clock.now += LEASE_SECONDS + 1
    shelf.away = AWAY
    with pytest.raises(Unavailable):
        await beat(door)
    with pytest.raises(Unavailable):
        door.lease.check()


async def test_runs_of_others_are_not_looked_for_here(shelf):
    """A wish to cancel would break the watch of a worker that has not the run."""
    shelf.wanted = ["not here"]
    await watch(gate(shelf))
    assert shelf.asked == ["cancelled"]


async def test_a_worker_leaves_in_order_even_without_its_database(shelf, caplog):
    """A server would not stop while its database is away."""
    await leave(gate(shelf))
    assert caplog.messages == []
    shelf.away = AWAY
    await leave(gate(shelf))
    assert caplog.messages == ["the lease runs out by itself: ledger_unavailable"]
