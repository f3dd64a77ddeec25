"""Keeps one pipeline to Redis open: connects when first asked, and again when it is lost."""

import asyncio
import logging
import random
from typing import Any

import hiredis

from agentxsuite.engines.limits.address import Address
from agentxsuite.engines.limits.pipeline import Pipeline

CONNECT_TIMEOUT = 1.0  # seconds, greeting included
SHORTEST_PAUSE = 0.05  # seconds between attempts, doubled each time ...
LONGEST_PAUSE = 2.0  # ... up to this

logger = logging.getLogger(__name__)


class Link:
    """A connection to Redis that heals. Only the very first command waits for it to open.

    While Redis is away, asking fails at once: nobody's call is slowed down by a dead server.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self.up = asyncio.Event()
        self._address = address
        self._timeout = timeout
        self._pipeline: Pipeline | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()

    async def ask(self, *command: str | int) -> Any:
        """The reply to ``command``; raises hiredis.ReplyError or ConnectionError."""
        pipeline = self._pipeline or await self._first()
        return await pipeline.ask(*command)

    def drop(self) -> None:
        """Give the connection up and look for Redis anew, as after a failover."""
        if self._pipeline is not None:
            self._pipeline.close()

    async def aclose(self) -> None:
        """Close for good."""
        if self._keeper is None:
            return
        self._keeper.cancel()
        await asyncio.wait([self._keeper])

    async def _first(self) -> Pipeline:
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())
        await self._tried.wait()
        if self._pipeline is None:
            raise ConnectionError("Redis is away")
        return self._pipeline

    async def _keep(self) -> None:
        """Connect, wait until the connection is lost, and again."""
        pause = 0.0
        while True:
            try:
                pipeline = await self._open()
            except (OSError, hiredis.ReplyError) as error:
                if not pause:
                    logger.warning("Redis is away, limits hold per process: %s", error)
                self._tried.set()
                pause = min(max(SHORTEST_PAUSE, 2 * pause), LONGEST_PAUSE)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads workers
            else:
                pause = 0.0
                await self._use(pipeline)

    async def _use(self, pipeline: Pipeline) -> None:
        """Offer ``pipeline`` to everyone until it is lost."""
        logger.info("Redis keeps the limits")
        self._pipeline = pipeline
        self.up.set()
        self._tried.set()
        try:
            await pipeline.lost.wait()
        finally:
            self._pipeline = None
            self.up.clear()
            pipeline.close()

    async def _open(self) -> Pipeline:
        """A connection that has answered; raises OSError or hiredis.ReplyError."""
        async with asyncio.timeout(CONNECT_TIMEOUT):
            pipeline = await self._address.connect(lambda: Pipeline(self._timeout))
            try:
                for command in self._address.greeting():
                    await pipeline.ask(*command)
            except BaseException:  # also when time is up: no half-greeted connection stays open
                pipeline.close()
                raise
            return pipeline
