"""Hearing from an upstream that its lists have changed, for as long as somebody uses it."""

import asyncio
from collections.abc import Mapping

from agentxsuite.engines.upstream.calls import Channel, Heard, Session
from agentxsuite.engines.upstream.errors import UpstreamError
from agentxsuite.engines.upstream.notices import announced
from agentxsuite.wire import JSON

UNUSED_SECONDS = 300.0  # after which nobody needs to know at once
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a stream that broke off is begun again


class Hearing:
    """The ear for one conversation; it listens from its first use until it is used no more."""

    def __init__(self, channel: Channel, session: Session, heard: Heard) -> None:
        self._channel, self._session, self._heard = channel, session, heard
        self._notices = list(announced(session.info.capabilities))
        self._loop = asyncio.get_running_loop()
        self._used = 0.0
        self._task: asyncio.Task[None] | None = None

    def use(self) -> None:
        """Note that the upstream is in use, and listen where nobody does."""
        self._used = self._loop.time()
        if self._task is None and self._notices:
            self._task = asyncio.create_task(self._listen())

    def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()

    async def _listen(self) -> None:
        """Follow one stream after the other; between two of them anything may have changed."""
        wanted = {notice.word: True for notice in self._notices}
        pause = FIRST_PAUSE
        while await self._follow(wanted):
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            if self._loop.time() - self._used > UNUSED_SECONDS:
                self._task = None
                return
            for notice in self._notices:
                self._heard(notice.method)

    async def _follow(self, wanted: Mapping[str, JSON]) -> bool:
        """Follow one stream to its end, for a while; whether another may be had."""
        try:
            async with asyncio.timeout(UNUSED_SECONDS):
                return await self._channel.listen(self._session, wanted, self._heard)
        except (UpstreamError, TimeoutError):
            return True
