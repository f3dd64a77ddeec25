"""What servers said of themselves: how often which of their lists changed, and who is listened to.

A server tells only whom it knows: as long as a client listens here, we listen there.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from agentxsuite.engines.upstream import NOTICES
from agentxsuite.gateway.facts import Connection

AGAIN_SECONDS = 50.0  # until a server is asked again whether it is still there
AT_ONCE = 8  # servers that are asked at a time


class Ears:
    """What was heard, by connection and notice."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: Counter[tuple[str, str]] = Counter()
        self._due: dict[str, float] = {}  # by endpoint
        self.silent: set[str] = set()  # endpoints whose server was not there
        self.asking: set[asyncio.Task[None]] = set()
        self.free = asyncio.Semaphore(AT_ONCE)
        self.heard = 0  # notices in all

    def note(self, connection_id: str, notice: str) -> None:
        """A server says that a list of its has changed."""
        self._said[connection_id, notice] += 1
        self.heard += 1

    def said(self, connection_id: str, notice: str) -> int:
        """How often a server has said so."""
        return self._said[connection_id, notice]

    def is_due(self, connection: Connection) -> bool:
        """Whether a server has to be asked if it is there; then not again for a while."""
        now = self._clock()
        if self._due.get(connection.kept_as, now) > now:
            return False
        self._due[connection.kept_as] = now + AGAIN_SECONDS
        return True

    def forget(self, connection: Connection) -> None:
        """Nothing is kept for a connection any more, as one person uses it or as all do."""
        self._due.pop(connection.kept_as, None)
        self.silent.discard(connection.kept_as)
        for notice in NOTICES:
            self._said.pop((connection.kept_as, notice.method), None)

    async def close(self) -> None:
        """Ask no more."""
        for task in self.asking:
            task.cancel()
        if self.asking:
            await asyncio.wait(self.asking)
