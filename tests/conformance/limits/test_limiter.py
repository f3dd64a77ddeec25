"""What every limiter does, wherever it keeps its buckets."""

import asyncio

import pytest

from agentxsuite.engines.limits import Rate

SLOW = Rate(per_minute=1, burst=3)  # nothing drips in while a test runs
STEADY = Rate(per_minute=60, burst=60)


async def take(limiter, rate, times, key="a"):
    return [await limiter.take(key, rate) for _ in range(times)]


async def test_a_burst_passes_and_no_more(limiter):
    """A caller is refused within their limit, or passes beyond it."""
    taken = await take(limiter, SLOW, 5)
    assert [each.allowed for each in taken] == [True, True, True, False, False]
    assert [each.remaining for each in taken] == [2, 1, 0, 0, 0]


async def test_a_refusal_says_when_to_come_back(limiter):
    """A client cannot know when to try again, or hammers on."""
    passed, *_, refused = await take(limiter, SLOW, 4)
    assert passed.retry_after == 0
    assert 30 < refused.retry_after <= 60


async def test_tokens_come_back_with_time(limiter, world):
    """A caller who waited as told is refused again."""
    await take(limiter, SLOW, 3)
    world.advance(60)
    assert [each.allowed for each in await take(limiter, SLOW, 2)] == [True, False]


async def test_waiting_as_told_is_enough(limiter, world):
    """``Retry-After`` is too short: clients are refused twice for one wait."""
    refused = (await take(limiter, SLOW, 4))[-1]
    world.advance(refused.retry_after)
    assert (await limiter.take("a", SLOW)).allowed


async def test_refusals_cost_nothing(limiter, world):
    """A client that retries too early is locked out for ever."""
    await take(limiter, SLOW, 3)
    for _ in range(50):
        assert not (await limiter.take("a", SLOW)).allowed
        world.advance(1)
    world.advance(10)
    assert (await limiter.take("a", SLOW)).allowed


async def test_a_bucket_never_holds_more_than_its_burst(limiter, world):
    """A caller saves up a quiet week and floods an upstream."""
    await take(limiter, SLOW, 3)
    world.advance(7 * 24 * 3600)
    assert sum(each.allowed for each in await take(limiter, SLOW, 10)) == 3


async def test_keys_do_not_touch_each_other(limiter):
    """One agent's calls use up another's limit."""
    await take(limiter, SLOW, 4)
    assert (await limiter.take("b", SLOW)).remaining == 2


async def test_a_cost_is_taken_whole_or_not_at_all(limiter):
    """A dear call passes at a cheap one's price, or a refused one still costs."""
    assert (await limiter.take("a", SLOW, cost=2)).remaining == 1
    refused = await limiter.take("a", SLOW, cost=2)
    assert (refused.allowed, refused.remaining) == (False, 1)
    assert (await limiter.take("a", SLOW, cost=1)).allowed


async def test_a_cost_beyond_the_burst_is_refused_with_a_finite_wait(limiter):
    """A call that can never pass answers with a nonsensical header, or empties the bucket."""
    refused = await limiter.take("a", SLOW, cost=4)
    assert (refused.allowed, refused.retry_after, refused.remaining) == (False, 60, 3)


@pytest.mark.parametrize("cost", [0, -1, 10_000_001])
async def test_a_senseless_cost_is_an_error(limiter, cost):
    """A negative cost fills a bucket."""
    with pytest.raises(ValueError, match="cost must be"):
        await limiter.take("a", SLOW, cost)


async def test_a_smaller_burst_holds_at_once(limiter):
    """A tightened policy lets what was saved up under the old one through."""
    await take(limiter, STEADY, 1)
    assert (await limiter.take("a", SLOW)).remaining == 2


async def test_a_faster_rate_holds_at_once(limiter, world):
    """A loosened policy takes effect only after the old wait."""
    await take(limiter, SLOW, 3)
    world.advance(1)
    assert (await limiter.take("a", Rate(per_minute=60, burst=3))).allowed


async def test_a_take_at_the_same_time_by_many_is_exact(limiter):
    """Concurrent calls slip through a limit together."""
    rate = Rate(per_minute=1, burst=100)
    taken = await asyncio.gather(*(limiter.take("a", rate) for _ in range(300)))
    assert sum(each.allowed for each in taken) == 100
    assert sorted(each.remaining for each in taken if each.allowed) == list(range(100))


async def test_the_largest_rate_is_exact(limiter):
    """Generous limits are off by rounding."""
    largest = Rate(per_minute=60_000_000, burst=10_000_000)
    assert (await limiter.take("a", largest, cost=10_000_000)).allowed
    smallest = Rate(per_minute=1, burst=10_000_000)
    assert (await limiter.take("b", smallest, cost=9_999_999)).remaining == 1
    assert [each.allowed for each in await take(limiter, smallest, 2, "b")] == [True, False]


@pytest.mark.parametrize("key", ["", "ä ö", "a b\r\nSET x y", "k" * 5000, "{}"])
async def test_any_text_is_a_key(limiter, key):
    """A strange name breaks the limiter, or talks to Redis."""
    assert [each.remaining for each in await take(limiter, SLOW, 2, key)] == [2, 1]
