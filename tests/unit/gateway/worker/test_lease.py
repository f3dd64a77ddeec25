"""A worker runs tools only while the others know that it lives."""

import asyncio

import pytest

from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.worker.lease import LEASE_SECONDS, NOBODY_SECONDS, Lease
from tests.unit.gateway.shelf import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lease(clock):
    return Lease(clock)


def test_a_lease_that_was_not_renewed_lets_nothing_start(lease, clock):
    """A call would run whose run the others have closed already."""
    clock.now += LEASE_SECONDS
    lease.check()
    clock.now += 1
    with pytest.raises(Unavailable) as refused:
        lease.check()
    assert refused.value.code == "lease_lost"
    lease.renewed(clock.now)
    lease.check()


def test_a_lease_counts_from_before_it_was_asked_for(lease, clock):
    """A slow heartbeat would let a worker run on after the others gave it up."""
    asked = lease.now()
    clock.now += LEASE_SECONDS + 1
    lease.renewed(asked)
    with pytest.raises(Unavailable):
        lease.check()


def test_after_an_outage_the_living_are_given_time(lease, clock):
    """The first worker to come back would close the runs of all others."""
    clock.now += LEASE_SECONDS
    assert lease.patience() == LEASE_SECONDS
    clock.now += 1
    assert lease.patience() is None
    lease.renewed(clock.now)
    assert lease.patience() is None
    clock.now += LEASE_SECONDS - 1
    lease.renewed(clock.now)
    assert lease.patience() is None
    clock.now += 1
    assert lease.patience() == LEASE_SECONDS


def test_a_worker_that_has_just_begun_takes_nobody_for_lost(lease, clock):
    """A worker started after an outage would close the runs of all who are about to come back."""
    assert lease.patience() == NOBODY_SECONDS
    clock.now += LEASE_SECONDS - 1
    lease.renewed(clock.now)
    assert lease.patience() == NOBODY_SECONDS
    clock.now += 1
    assert lease.patience() == LEASE_SECONDS


async def test_a_run_is_cancelled_once_and_only_while_it_is_held(lease):
    """A cancelled run would go on, or another call would be hit."""
    held = asyncio.Event()

    async def run():
        lease.hold("one")
        held.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await held.wait()
    lease.cancel(["two"])
    assert task.cancelling() == 0
    lease.cancel(["one", "two"])
    lease.cancel(["one"])
    assert task.cancelling() == 1
    with pytest.raises(asyncio.CancelledError):
        await task
    assert lease.let_go("one")
    assert not lease.let_go("one")
    lease.cancel(["one"])


def test_every_worker_has_a_name_of_its_own(lease):
    """A dead worker's runs would count as those of a living one."""
    assert lease.worker.id != Lease().worker.id
    assert lease.worker.process > 0
    assert lease.worker.host


async def test_a_run_is_cancelled_by_the_name_of_one_alone():
    """Otherwise: one client stops the call of another that counts alike."""
    lease = Lease()
    waiting = asyncio.Event()

    async def run(identifier):
        lease.hold(identifier, "same")
        await waiting.wait()

    tasks = [asyncio.create_task(run(identifier)) for identifier in ("a", "b")]
    await asyncio.sleep(0)
    lease.cancel_named("same")
    assert not lease.let_go("b")
    lease.cancel_named("same")
    assert lease.let_go("a")
    tasks[1].cancel()
    await asyncio.wait(tasks)
