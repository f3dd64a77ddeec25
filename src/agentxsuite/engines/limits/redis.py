"""Limits that all workers share, kept in Redis."""

import hashlib
from pathlib import Path
from typing import Any

import hiredis

from agentxsuite.engines.limits.address import Address
from agentxsuite.engines.limits.bucket import MICROSECONDS, Rate, Taken, check_cost
from agentxsuite.engines.limits.link import Link
from agentxsuite.engines.limits.memory import MemoryLimiter

SCRIPT = Path(__file__).with_name("take.lua").read_text(encoding="utf-8")
DIGEST = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # EVALSHA's name for it


class RedisLimiter:
    """Buckets in Redis: one atomic script a take, by Redis' own clock.

    While Redis is away or out of order, buckets of this process decide: each worker then grants up
    to the whole limit, and no call waits or fails. ``timeout`` is in seconds, per take.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 0.25,
        prefix: str = "limit:",
        local: MemoryLimiter | None = None,
    ) -> None:
        self._link = Link(Address.parse(url), timeout)
        self._prefix = prefix
        self._local = local or MemoryLimiter()

    @property
    def connected(self) -> bool:
        """Whether Redis decides at the moment."""
        return self._link.up.is_set()

    async def take(self, key: str, rate: Rate, cost: int = 1) -> Taken:
        """Take from the bucket of ``key``. Raises ValueError for a cost below 1."""
        check_cost(cost)
        try:
            allowed, wait, left = await self._run(
                self._prefix + key, rate.per_minute, rate.burst, cost
            )
        except (ConnectionError, hiredis.ReplyError):
            return await self._local.take(key, rate, cost)
        return Taken(allowed == 1, wait / MICROSECONDS, left)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._link.aclose()

    async def _run(self, *arguments: str | int) -> Any:
        try:
            return await self._link.ask("EVALSHA", DIGEST, 1, *arguments)
        except hiredis.ReplyError as error:
            if "READONLY" in str(error):  # this server became a replica: the primary is elsewhere
                self._link.drop()
            if not str(error).startswith("NOSCRIPT"):
                raise
        return await self._link.ask("EVAL", SCRIPT, 1, *arguments)
