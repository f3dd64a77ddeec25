"""Memory is bounded, and the bound loosens no limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentxsuite.engines.limits import MemoryLimiter, Rate

RATE = Rate(per_minute=60, burst=2)


class Clock:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limiter(clock):
    return MemoryLimiter(clock, capacity=2)


async def test_a_full_bucket_makes_room(limiter, clock):
    """A process that has seen many callers grows without end, or turns new ones away."""
    for number in range(10):
        assert (await limiter.take(str(number), RATE)).remaining == 1
        clock.now += 1
    assert len(limiter._buckets) == len(limiter._agenda) == 1


async def test_a_bucket_in_use_is_never_forgotten(limiter, clock):
    """Whoever invents enough names gets a fresh burst."""
    for key in ("a", "a", "b"):
        await limiter.take(key, RATE)
    newcomer = await limiter.take("c", RATE)
    assert (newcomer.allowed, newcomer.remaining, newcomer.retry_after) == (False, 0, 1)
    assert not (await limiter.take("a", RATE)).allowed
    clock.now += newcomer.retry_after
    assert (await limiter.take("c", RATE)).allowed


async def test_a_busy_bucket_is_kept_beyond_its_first_date(limiter, clock):
    """A caller who never pauses gets a full bucket now and then."""
    await limiter.take("a", RATE)
    clock.now += 0.5
    await limiter.take("a", RATE)
    clock.now += 0.5
    assert (await limiter.take("a", RATE)).remaining == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 3)), max_size=80))
async def test_a_small_table_is_never_looser_than_an_endless_one(takes):
    """Some pattern of names and pauses makes the bounded table forget a debt."""
    clock = Clock()
    bounded, endless = MemoryLimiter(clock, capacity=2), MemoryLimiter(clock)
    granted = dict.fromkeys(range(5), 0)
    start = clock.now
    for key, pause in takes:
        clock.now += pause
        granted[key] += (await bounded.take(str(key), RATE)).allowed
        await endless.take(str(key), RATE)
        assert granted[key] <= RATE.burst + (clock.now - start) + 1e-6
        assert len(bounded._buckets) <= 2
        assert len(bounded._agenda) == len(bounded._buckets)
