"""How often anybody may try to show who they are: counted before anything is hashed.

All workers count together where REDIS_URL is set; each for itself otherwise, and while Redis is
away. There is no count for an account alone: with one, anybody could lock somebody else out.
"""

import asyncio
import hashlib
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

_LOCAL: Final = MemoryLimiter()
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
            raise Throttled("Too many tries: wait, then try again.", taken.retry_after)


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
