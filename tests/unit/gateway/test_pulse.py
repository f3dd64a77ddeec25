"""A beat that many wait for."""

import asyncio

from agentxsuite.gateway import pulse
from agentxsuite.gateway.pulse import Pulse


async def test_all_who_wait_are_woken_together_and_again():
    """Otherwise: every open listen asks the database by itself."""
    pulse = Pulse(0.001)
    for _ in range(2):
        await asyncio.gather(*(pulse.beat() for _ in range(3)))


async def test_who_stops_waiting_does_not_take_the_beat_with_them():
    """Otherwise: one client that leaves makes all others deaf."""
    pulse = Pulse(0.01)
    leaving, staying = (asyncio.create_task(pulse.beat()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert leaving.cancelled()


async def test_many_are_woken_in_groups(monkeypatch):
    """Otherwise: calls wait at every beat until a thousand streams have been looked after."""
    monkeypatch.setattr(pulse, "AT_ONCE", 2)
    monkeypatch.setattr(pulse, "GAP_SECONDS", 0.1)
    beating, woken, second = Pulse(0.001), [], asyncio.Event()

    async def wait(number):
        await beating.beat()
        woken.append(number)
        if number == 1:
            second.set()

    waiting = [asyncio.create_task(wait(number)) for number in range(5)]
    await second.wait()
    late = asyncio.create_task(wait(5))  # for the next beat
    await asyncio.sleep(0)
    assert woken == [0, 1]
    await asyncio.gather(*waiting, late)
    assert sorted(woken) == list(range(6))
