"""A beat that many wait for: what they ask after it they ask together, so few queries answer all.

They are woken some at a time: if a thousand were at once, everybody else would wait for them.
"""

import asyncio

AT_ONCE = 50
GAP_SECONDS = 0.005  # between two groups, in which others have their turn


class Pulse:
    """Wakes all who wait, every so many seconds; it stands still while nobody does."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: list[asyncio.Future[None]] = []

    async def beat(self) -> None:
        """Wait for the next beat."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_later(self._seconds, self._strike)
        mine = loop.create_future()
        self._waiting.append(mine)
        await mine

    def _strike(self) -> None:
        woken, self._waiting = self._waiting, []
        self._wake(woken)

    def _wake(self, waiting: list[asyncio.Future[None]]) -> None:
        """Wake the first, and the others soon."""
        for each in waiting[:AT_ONCE]:
            if not each.done():  # who has left is not there any more
                each.set_result(None)
        if rest := waiting[AT_ONCE:]:
            asyncio.get_running_loop().call_later(GAP_SECONDS, self._wake, rest)
