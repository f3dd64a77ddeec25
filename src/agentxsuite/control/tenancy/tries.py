"""How often anybody may try to show who they are: counted before anything is hashed.

All workers count together where REDIS_URL is set; each for itself otherwise, and while Redis is
away. There is no count for an account alone: with one, anybody could lock somebody else out.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from asgiref.sync import async_to_sync
from django.conf import settings

from agentxsuite.control.problems import Throttled
from agentxsuite.engines.limits import Limiter, MemoryLimiter, Rate, RedisLimiter, Taken

ACCOUNT: Final = Rate(per_minute=5, burst=10)  # for one account from one address
ADDRESS: Final = Rate(per_minute=60, burst=60)  # for all accounts: an office may share an address
OWN_NETWORK: Final = 64  # bits of an IPv6 address; the others are free for its owner to choose

TOO_MANY: Final = "Too many tries: wait, then try again."
REMEMBERED: Final = 10_000  # networks that wait: a crowd of them is no reason to keep them all

_LOCAL: Final = MemoryLimiter()
_waiting: dict[str, float] = {}  # networks that had all their tries, and until when they wait
_shared: dict[asyncio.AbstractEventLoop, Limiter] = {}


@asynccontextmanager
async def counted_together() -> AsyncIterator[None]:
    """Count in Redis, where there is one, for requests on this event loop until the block is left.

    Raises ValueError for a REDIS_URL that is none.
    """
    if not settings.REDIS_URL:
        yield
        return
    loop = asyncio.get_running_loop()
    limiter = _shared[loop] = RedisLimiter(settings.REDIS_URL, prefix="try:", local=_LOCAL)
    try:
        yield
    finally:
        del _shared[loop]
        await limiter.aclose()


def take_a_try(address: str, account: str) -> None:
    """Count a try for an account from an address, and for the address; raises Throttled."""
    where = network(address)
    for key, rate in ((where, ADDRESS), (f"{where}|{account}", ACCOUNT)):
        taken = async_to_sync(_take)(hashlib.sha256(key.encode()).hexdigest(), rate)
        if not taken.allowed:
            if rate is ADDRESS:
                _wait(where, taken.retry_after)
            raise Throttled(TOO_MANY, taken.retry_after)


def seconds_to_wait(address: str) -> float:
    """Return how long an address has no try, as far as this process knows; it asks nobody."""
    until = _waiting.get(network(address), 0.0) if _waiting else 0.0
    return max(0.0, until - time.monotonic())


def _wait(where: str, seconds: float) -> None:
    if len(_waiting) >= REMEMBERED:
        _waiting.clear()
    _waiting[where] = time.monotonic() + seconds


def network(address: str) -> str:
    """Return what one caller has of the addresses: all of IPv4, the network of IPv6."""
    try:
        known = ip_address(address)
    except ValueError:  # a socket of the machine itself
        return address
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(IPv6Network((int(known), OWN_NETWORK), strict=False))


async def _take(key: str, rate: Rate) -> Taken:
    limiter = _shared.get(asyncio.get_running_loop(), _LOCAL)
    return await limiter.take(key, rate)
