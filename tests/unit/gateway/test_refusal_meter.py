"""Floods of refusals are counted instead of written."""

from agentxsuite.gateway.refusal_meter import MINUTE, WRITTEN, RefusalMeter

KEY = ("org", "env", "agent:1", "tool:a/b", "denied")


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


async def test_refusals_within_the_bucket_are_written():
    """An auditor would miss single denials."""
    meter = RefusalMeter(Clock())
    written = [await meter.admit(KEY, throttle=False) for _ in range(WRITTEN.burst)]
    assert all(written)
    assert meter.wait("agent:1") == 0
    assert list(meter.drain()) == []


async def test_a_flood_is_counted_and_its_author_waits():
    """One misbehaving agent could fill the disk."""
    clock = Clock()
    meter = RefusalMeter(clock)
    for _ in range(WRITTEN.burst + 5):
        await meter.admit(KEY, throttle=False)
    assert 0 < meter.wait("agent:1") <= 1
    assert meter.wait("agent:2") == 0
    assert list(meter.drain()) == [(KEY, 5)]
    assert list(meter.drain()) == []
    clock.now += 2
    assert meter.wait("agent:1") == 0
    assert await meter.admit(KEY, throttle=False)


async def test_of_throttled_calls_the_first_a_minute_is_written():
    """A client that retries without waiting would write a row a try."""
    clock = Clock()
    meter = RefusalMeter(clock)
    assert await meter.admit(KEY, throttle=True)
    assert not await meter.admit(KEY, throttle=True)
    clock.now += MINUTE + 1
    assert dict(meter.drain()) == {KEY: 1}
    assert await meter.admit(KEY, throttle=True)
