"""Refusals cannot fill the disk: beyond a bucket per principal they are counted, not written.

A principal whose bucket is empty is also stopped before policy, until the bucket has refilled.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable

from agentxsuite.engines.limits import MemoryLimiter, Rate

WRITTEN = Rate(per_minute=60, burst=60)  # refusals of one principal that are written one by one
MINUTE = 60.0

Key = tuple[
    str | None, str | None, str, str, str
]  # organization, environment, subject, target, code


class RefusalMeter:
    """Decides which refusals are written one by one, and counts the rest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets = MemoryLimiter(clock=clock)
        self._stopped: dict[str, float] = {}
        self._throttles: dict[Key, float] = {}
        self._counts: Counter[Key] = Counter()

    def wait(self, subject: str) -> float:
        """Seconds until the principal may try again; 0 when it may now."""
        return max(0.0, self._stopped.get(subject, 0.0) - self._clock())

    async def admit(self, key: Key, *, throttle: bool) -> bool:
        """Whether this refusal is written; if not, it has been counted."""
        if not throttle or self._is_first(key):
            taken = await self._buckets.take(key[2], WRITTEN)
            if taken.allowed:
                return True
            self._stopped[key[2]] = self._clock() + taken.retry_after
        self._counts[key] += 1
        return False

    def drain(self) -> Iterable[tuple[Key, int]]:
        """Everything counted since the last drain; forgets what is past."""
        counts, self._counts = self._counts, Counter()
        now = self._clock()
        self._stopped = {who: until for who, until in self._stopped.items() if until > now}
        self._throttles = {key: end for key, end in self._throttles.items() if end > now}
        return counts.items()

    def keep(self, counts: Iterable[tuple[Key, int]]) -> None:
        """Take back what was drained and could not be written."""
        self._counts.update(dict(counts))

    def _is_first(self, key: Key) -> bool:
        """Whether it is the first 429 of this agent and tool within a minute."""
        now = self._clock()
        if self._throttles.get(key, 0.0) > now:
            return False
        self._throttles[key] = now + MINUTE
        return True
