"""Long work beside calls: it rests in proportion to what it worked.

Python runs one thread at a time. A thread that computes without a pause makes each step of every
call wait for the interpreter, also where it holds no lock; what is done in the background can wait.
"""

import time
from collections.abc import Callable

SPELL = 0.01  # seconds of work after which a rest is due
SHARE = 6  # a rest is so many times as long as the work: a seventh of a processor at most


class Pace:
    """The pace of one thread's work; `clock` tells how long it has had a processor, in seconds."""

    def __init__(
        self,
        clock: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._since = clock()

    def rest(self) -> None:
        """Sleep, where enough was done since the last time; the caller holds no lock."""
        worked = self._clock() - self._since
        if worked >= SPELL:
            self._sleep(worked * SHARE)
            self._since = self._clock()
