"""Who listens at this worker: so many, and of one principal so many; all are woken together."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from agentxsuite.gateway.pulse import Pulse
from agentxsuite.gateway.refusals import Throttled

LOOK_SECONDS = 0.4  # between two looks at what has changed: a client hears within a second
AGAIN_SECONDS = 10.0  # until there may be room


class Listens:
    """The streams that stay open until their client leaves, is refused, or the server stops."""

    most = 1000  # streams at this worker
    most_each = 250  # of one principal

    def __init__(self, seconds: float = LOOK_SECONDS) -> None:
        self._open: Counter[str] = Counter()
        self._pulse = Pulse(seconds)
        self.turn = asyncio.Lock()
        self.ending = False

    def check(self, subject: str) -> None:
        """Whether there is room for one more of this principal; raises Throttled."""
        if self._open[subject] >= self.most_each:
            sentence = "You listen too often already: close a stream first."
            raise Throttled("too_many_listens", sentence, AGAIN_SECONDS)
        if self._open.total() >= self.most:
            raise Throttled("too_many_listens", "Too many listen here: try again.", AGAIN_SECONDS)

    @contextmanager
    def held(self, subject: str) -> Iterator[None]:
        """Count one stream while it is open."""
        self._open[subject] += 1
        try:
            yield
        finally:
            self._open[subject] -= 1
            if not self._open[subject]:
                del self._open[subject]

    async def beat(self) -> None:
        """Wait until it is time to look again, together with all others."""
        await self._pulse.beat()

    def end(self) -> None:
        """Let all streams end, and every new one soon after it began."""
        self.ending = True
