"""Token bucket in whole numbers: no drift, so that take.lua can do the very same sums.

A token is 60,000,000 grains, so a rate of N a minute drips exactly N grains a microsecond. With
the bounds below every number stays under 2**53, where Lua's floats are still exact.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

TOKEN: Final = 60_000_000  # grains
MICROSECONDS: Final = 1_000_000  # in a second
MAX_PER_MINUTE: Final = 60_000_000
MAX_BURST: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens a minute, and how many a bucket holds; raises ValueError out of bounds."""

    per_minute: int
    burst: int

    def __post_init__(self) -> None:
        if not 1 <= self.per_minute <= MAX_PER_MINUTE:
            raise ValueError(f"per_minute must be 1..{MAX_PER_MINUTE}, not {self.per_minute}")
        if not 1 <= self.burst <= MAX_BURST:
            raise ValueError(f"burst must be 1..{MAX_BURST}, not {self.burst}")


class Taken(NamedTuple):
    """The answer: whether it may pass, seconds until it could, whole tokens that are left."""

    allowed: bool
    retry_after: float
    remaining: int


class Limiter(Protocol):
    """Not too often? Each key has a bucket of its own, which starts full."""

    async def take(self, key: str, rate: Rate, cost: int = 1) -> Taken:
        """Take ``cost`` tokens from the bucket of ``key``, all or none; raises ValueError."""
        ...

    async def aclose(self) -> None:
        """Let go of what is open."""
        ...


class Bucket(NamedTuple):
    """Grains in a bucket at a moment in microseconds."""

    level: int
    at: int


def full(rate: Rate, now: int) -> Bucket:
    """The bucket of a key that was never seen, or not since its bucket was full again."""
    return Bucket(rate.burst * TOKEN, now)


def take(bucket: Bucket, now: int, rate: Rate, cost: int) -> tuple[Taken, Bucket]:
    """Refill ``bucket`` until ``now`` (microseconds), then take ``cost`` tokens, all or none.

    A clock that steps back refills nothing and counts anew from there. A cost beyond the burst is
    never granted; its wait is as long as that many tokens take to drip.
    """
    brim, grains = rate.burst * TOKEN, cost * TOKEN
    level = min(brim, bucket.level + max(0, now - bucket.at) * rate.per_minute)
    allowed = grains <= level
    if allowed:
        level -= grains
    wait = 0 if allowed else _drip(grains - level, rate)
    return Taken(allowed, wait / MICROSECONDS, level // TOKEN), Bucket(level, now)


def full_at(bucket: Bucket, rate: Rate) -> int:
    """When (microseconds) the bucket is full again, if nothing is taken."""
    return bucket.at + _drip(rate.burst * TOKEN - bucket.level, rate)


def check_cost(cost: int) -> None:
    """Raise ValueError unless ``cost`` is 1 or more."""
    if not 1 <= cost <= MAX_BURST:
        raise ValueError(f"cost must be 1..{MAX_BURST}, not {cost}")


def _drip(grains: int, rate: Rate) -> int:
    """Microseconds, rounded up, until that many grains have dripped in."""
    return -(-grains // rate.per_minute)
