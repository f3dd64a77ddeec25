"""Limits of one process."""

import heapq
import time
from collections.abc import Callable

from agentxsuite.engines.limits import bucket
from agentxsuite.engines.limits.bucket import MICROSECONDS, Bucket, Rate, Taken


class MemoryLimiter:
    """Buckets in memory, at most ``capacity`` of them.

    A bucket is forgotten only when it is full again, which changes no answer. While none may be
    forgotten, newcomers wait: the memory bound can make a limit stricter, never looser.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, capacity: int = 100_000
    ) -> None:
        self._clock = clock
        self._capacity = capacity
        self._buckets: dict[str, tuple[Bucket, int]] = {}  # with the moment it is full again
        # One entry a bucket, at or before the moment it is full: taking more only postpones that.
        self._agenda: list[tuple[int, str]] = []

    async def take(self, key: str, rate: Rate, cost: int = 1) -> Taken:
        """Take from the bucket of ``key``; never waits. Raises ValueError for a cost below 1."""
        bucket.check_cost(cost)
        now = int(self._clock() * MICROSECONDS)
        self._forget_full(now)
        known = self._buckets.get(key)
        if known is None and len(self._buckets) >= self._capacity:
            return Taken(allowed=False, retry_after=self._until_room(now), remaining=0)
        taken, left = bucket.take(known[0] if known else bucket.full(rate, now), now, rate, cost)
        until = bucket.full_at(left, rate)
        self._buckets[key] = (left, until)
        if known is None:
            heapq.heappush(self._agenda, (until, key))
        return taken

    async def aclose(self) -> None:
        """Nothing is open."""

    def _until_room(self, now: int) -> float:
        """Seconds until a bucket may be full; there is one, or there would be room."""
        return (self._agenda[0][0] - now) / MICROSECONDS

    def _forget_full(self, now: int) -> None:
        while self._agenda and self._agenda[0][0] <= now:
            _, key = self._agenda[0]
            _, until = self._buckets[key]
            if until <= now:
                heapq.heappop(self._agenda)
                del self._buckets[key]
            else:
                heapq.heapreplace(self._agenda, (until, key))
