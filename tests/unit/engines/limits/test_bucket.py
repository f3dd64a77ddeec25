"""The arithmetic of buckets, and that Redis does the very same sums."""

import secrets

import pytest
import redis as redis_py
from hypothesis import given, settings
from hypothesis import strategies as st

from agentxsuite.engines.limits.bucket import (
    MAX_BURST,
    MAX_PER_MINUTE,
    MICROSECONDS,
    TOKEN,
    Bucket,
    Rate,
    check_cost,
    full,
    full_at,
    take,
)
from agentxsuite.engines.limits.redis import SCRIPT

MINUTE = 60 * MICROSECONDS
rates = st.builds(Rate, st.integers(1, MAX_PER_MINUTE), st.integers(1, MAX_BURST))
small_rates = st.builds(Rate, st.integers(1, 600), st.integers(1, 50))
moments = st.integers(1, 2**51)
costs = st.integers(1, MAX_BURST)
steps = st.lists(st.tuples(st.integers(0, 3 * MINUTE), st.integers(1, 5)), max_size=60)
# The test is the clock, and sees what is stored for how many milliseconds.
script = SCRIPT.replace("redis.call('TIME')", "{0, ARGV[4]}")
script = script.replace("return {", "return {level, now, life, ")


@given(small_rates, moments, steps)
def test_no_sequence_of_takes_beats_the_limit(rate, start, steps):
    """Some rhythm of calls gets more through than burst and rate allow."""
    held, now, granted = full(rate, start), start, 0
    for pause, cost in steps:
        now += pause
        taken, held = take(held, now, rate, cost)
        granted += cost * taken.allowed
        assert granted * TOKEN <= rate.burst * TOKEN + (now - start) * rate.per_minute


@given(st.integers(1, 600), moments, st.lists(st.floats(0, 1), max_size=60))
def test_nothing_that_dripped_in_is_withheld(per_minute, start, pauses):
    """Rounding eats tokens: a caller who keeps asking gets less than their rate."""
    rate = Rate(per_minute, burst=2)
    held, now, granted = Bucket(0, start), start, 0
    for pause in pauses:  # each at most as long as a token takes, so that the brim cuts nothing off
        now += int(pause * TOKEN / per_minute)
        taken, held = take(held, now, rate, 1)
        granted += taken.allowed
    assert granted == (now - start) * per_minute // TOKEN


@given(rates, moments, moments, st.integers(0, MAX_BURST * TOKEN), costs)
def test_an_answer_is_always_sound(rate, at, now, level, cost):
    """A wait is negative, or a bucket runs below empty or over its brim."""
    taken, left = take(Bucket(level, at), now, rate, cost)
    assert 0 <= left.level <= rate.burst * TOKEN
    assert left.at == now
    assert taken.remaining == left.level // TOKEN
    assert (taken.retry_after == 0) == taken.allowed
    assert 0 <= taken.retry_after < MAX_BURST * 60 + 1


@given(rates, moments, st.integers(0, MAX_BURST * TOKEN), costs)
def test_the_wait_is_exactly_long_enough(rate, now, level, cost):
    """A client waits too long, or is refused after waiting as told."""
    cost = min(cost, rate.burst)
    taken, left = take(Bucket(level, now), now, rate, cost)
    wait = round(taken.retry_after * MICROSECONDS)
    assert take(left, now + wait, rate, cost)[0].allowed or taken.allowed
    if not taken.allowed:
        assert not take(left, now + wait - 1, rate, cost)[0].allowed


@given(rates, moments, st.integers(0, MAX_BURST * TOKEN))
def test_a_bucket_is_full_when_it_says(rate, now, level):
    """A bucket is forgotten too early, which loosens the limit, or never."""
    held = Bucket(min(level, rate.burst * TOKEN), now)
    moment = full_at(held, rate)
    assert take(held, moment, rate, rate.burst)[0].allowed
    if moment > now:
        assert not take(held, moment - 1, rate, rate.burst)[0].allowed


@given(rates, moments, moments)
def test_a_clock_that_steps_back_refills_nothing_and_blocks_nobody(rate, at, now):
    """A corrected clock gives a burst away, or shuts a caller out until it has caught up."""
    taken, left = take(Bucket(0, max(at, now)), min(at, now), rate, 1)
    assert not taken.allowed
    wait = round(taken.retry_after * MICROSECONDS)
    assert take(left, min(at, now) + wait, rate, 1)[0].allowed


@pytest.mark.parametrize(
    ("per_minute", "burst"), [(0, 1), (-1, 1), (60_000_001, 1), (1, 0), (1, -1), (1, 10_000_001)]
)
def test_a_senseless_rate_is_an_error(per_minute, burst):
    """A limit of zero divides by it, one beyond exact numbers drifts."""
    with pytest.raises(ValueError, match="must be 1"):
        Rate(per_minute, burst)


def test_the_bounds_stay_exact_in_lua():
    """The largest limits are off by rounding in Redis."""
    assert MAX_BURST * TOKEN * 2 < 2**53
    check_cost(MAX_BURST)
    with pytest.raises(ValueError, match="cost must be"):
        check_cost(MAX_BURST + 1)


@pytest.fixture(scope="module")
def in_redis(redis_server):
    """Run the script as Redis does, at a given moment; gives its answer, bucket and life."""
    database = redis_py.Redis.from_url(redis_server.url)
    run = database.register_script(script)
    key = f"test:{secrets.token_hex(8)}"

    def _in_redis(held, now, rate, cost):
        database.delete(key)
        if held is not None:
            database.set(key, f"{held.level} {held.at}")
        level, at, life, *answer = run([key], [rate.per_minute, rate.burst, cost, now])
        return answer, Bucket(level, at), life

    yield _in_redis
    database.close()


held_buckets = st.none() | st.builds(Bucket, st.integers(0, MAX_BURST * TOKEN), moments)


@settings(deadline=None, max_examples=400)
@given(held_buckets, moments, rates, costs)
def test_redis_and_memory_answer_alike(in_redis, held, now, rate, cost):
    """The same policy means one limit on a laptop and another in production."""
    taken, left = take(held or full(rate, now), now, rate, cost)
    (allowed, wait, remaining), stored, life = in_redis(held, now, rate, cost)
    wanted = round(taken.retry_after * MICROSECONDS)
    assert (allowed, wait, remaining) == (taken.allowed, wanted, taken.remaining)
    assert stored == left
    assert 0 < life * 1000 - (full_at(left, rate) - now) <= 2000
