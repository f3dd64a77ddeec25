"""One lock for all writers of a database file in this process, first come, first served.

SQLite has one writer, and those who wait for it sleep and look again, longer each time: whoever
writes all the time starves the others. Here they queue, and each is woken when it is its turn.
Other processes do not see this lock; against them SQLite's own busy timeout stands.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from sqlite3 import OperationalError
from threading import Lock, Thread, current_thread
from time import monotonic

PATIENCE = 20.0  # seconds to wait for the turn
LOOK = 0.5  # seconds until a waiting thread looks again whether the holder's still lives


class Hold:
    """One place in the queue; the first one holds the lock. It is given up by `release`."""

    __slots__ = ("_lock", "abandon", "thread", "turn")

    def __init__(self, lock: "WriteLock", abandon: Callable[[], object]) -> None:
        self._lock = lock
        self.abandon = abandon
        self.thread: Thread = current_thread()
        self.turn = Lock()
        self.turn.acquire()

    def release(self) -> None:
        """Let the next one write; from any thread, and a second time without effect."""
        self._lock.remove(self)


class WriteLock:
    """The queue of those who write to one database file."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._queue: deque[Hold] = deque()

    def acquire(self, timeout: float = PATIENCE, abandon: Callable[[], object] = int) -> Hold:
        """Wait for the turn, `timeout` seconds at most.

        `abandon` undoes what the holder began, where its thread died without a word. Raises
        OperationalError as SQLite does, and at once where the thread waits for itself.
        """
        mine = Hold(self, abandon)
        with self._mutex:
            first = self._queue[0] if self._queue else mine
            if first is not mine and first.thread is mine.thread:
                raise _locked()
            self._queue.append(mine)
        if first is not mine:
            self._wait(mine, monotonic() + timeout)
        return mine

    @contextmanager
    def held(self, timeout: float = PATIENCE) -> Iterator[None]:
        """Hold the lock for a block; raises OperationalError."""
        hold = self.acquire(timeout)
        try:
            yield
        finally:
            hold.release()

    def remove(self, hold: Hold) -> None:
        """Take a place out of the queue and wake whoever is first now."""
        with self._mutex:
            if hold not in self._queue:
                return
            first = self._queue[0]
            self._queue.remove(hold)
            if hold is first and self._queue:
                self._queue[0].turn.release()

    def _wait(self, mine: Hold, deadline: float) -> None:
        came = False
        try:
            while not came and monotonic() < deadline:
                self._bury()
                came = mine.turn.acquire(timeout=max(0.0, min(LOOK, deadline - monotonic())))
        finally:
            if not came:  # nor may an interrupted wait keep its place
                self.remove(mine)
        if not came:
            raise _locked()

    def _bury(self) -> None:
        """Give up for a holder whose thread has died."""
        with self._mutex:
            first = self._queue[0]
        if not first.thread.is_alive():
            first.abandon()
            self.remove(first)


_locks: dict[str, WriteLock] = {}


def write_lock(path: "str | os.PathLike[str]") -> WriteLock:
    """Return the one lock of a database file, however its path is spelled."""
    return _locks.setdefault(os.path.realpath(path), WriteLock())


def _locked() -> OperationalError:
    return OperationalError("database is locked")
