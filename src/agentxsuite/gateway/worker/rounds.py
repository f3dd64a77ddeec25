"""Work that is done again and again while the server lives, and never ends by a failure."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from msgspec import Struct

from agentxsuite.gateway.refusals import Unavailable

AGAIN = 1.0  # seconds until what was not possible is tried again, at most

log = logging.getLogger(__name__)


class Pace(Struct, frozen=True):
    """Seconds between two rounds of each work."""

    beat: float = 5.0
    watch: float = 1.0
    reap: float = 5.0
    sweep: float = 60.0
    count: float = 10.0
    tidy: float = 60.0


async def keep(what: str, work: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Work, wait, and again, until cancelled; what fails is told and tried again."""
    while True:
        try:
            await work()
        except Unavailable as error:
            log.warning("%s: not now: %s", what, error.code)
            await asyncio.sleep(min(seconds, AGAIN))
            continue
        except Exception:  # a defect in one round must not end all rounds unseen
            log.exception("%s: failed", what)
        await asyncio.sleep(seconds)
