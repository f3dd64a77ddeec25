"""A beat that many wait for."""

import asyncio

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
