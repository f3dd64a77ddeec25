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
        pause, begun = FIRST_PAUSE, self._loop.time()
        while await self._follow(wanted):
            if self._loop.time() - begun > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause, begun = min(2 * pause, LONGEST_PAUSE), self._loop.time()
            if self._left() <= 0:
                self._task = None
                return
            for notice in self._notices:
                self._heard(notice.method)

    async def _follow(self, wanted: Mapping[str, JSON]) -> bool:
        """Follow one stream to its end, while the upstream is used; whether another may be had."""
        listen = self._channel.listen(self._session, wanted, self._heard)
        stream = asyncio.ensure_future(listen)
        try:
            while not stream.done() and self._left() > 0:
                await asyncio.wait([stream], timeout=self._left())
            return stream.result() if stream.done() else True
        except UpstreamError:
            return True
        finally:
            stream.cancel()

    def _left(self) -> float:
        """The seconds for which it still counts as used."""
        return self._used + UNUSED_SECONDS - self._loop.time()
