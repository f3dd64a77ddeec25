"""A beat that many wait for: what they ask after it they ask together, so one query answers all."""

import asyncio


class Pulse:
    """Wakes all who wait, every so many seconds; it stands still while nobody does."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next: asyncio.Event | None = None

    async def beat(self) -> None:
        """Wait for the next beat."""
        if self._next is None:
            self._next = asyncio.Event()
            asyncio.get_running_loop().call_later(self._seconds, self._strike, self._next)
        await self._next.wait()

    def _strike(self, event: asyncio.Event) -> None:
        event.set()
        self._next = None
