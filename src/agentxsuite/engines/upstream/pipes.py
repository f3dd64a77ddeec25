"""Our ends of a process's pipes, set up in one step that nothing can interrupt half-way."""

import asyncio
import os
from collections.abc import Callable
from typing import IO

_READ_SIZE = 256 * 1024


class Inlet:
    """Tells ``heard`` what comes out of a pipe, and ``lost`` once when nothing more will."""

    def __init__(
        self, pipe: IO[bytes], heard: Callable[[bytes], None], lost: Callable[[], None]
    ) -> None:
        self._pipe = pipe
        self._heard = heard
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        os.set_blocking(pipe.fileno(), False)
        self._loop.add_reader(pipe.fileno(), self._ready)

    def close(self) -> None:
        """Stop listening; idempotent."""
        if not self._pipe.closed:
            self._loop.remove_reader(self._pipe.fileno())
            self._pipe.close()

    def _ready(self) -> None:
        data = os.read(self._pipe.fileno(), _READ_SIZE)
        if data:
            self._heard(data)
        else:
            self.close()
            self._lost()


class Outlet:
    """Writes into a pipe; what does not fit waits. ``lost`` hears when nobody can read it."""

    def __init__(self, pipe: IO[bytes], lost: Callable[[], None]) -> None:
        self._pipe = pipe
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        os.set_blocking(pipe.fileno(), False)

    @property
    def waiting(self) -> int:
        """How many bytes the other end has not taken yet."""
        return len(self._waiting)

    def write(self, data: bytes) -> None:
        """Send ``data`` behind whatever still waits."""
        at_once = not self._waiting
        self._waiting += data
        if at_once:
            self._drain()
            if self._waiting and not self._pipe.closed:
                self._loop.add_writer(self._pipe.fileno(), self._ready)

    def close(self) -> None:
        """Stop writing, also what waits; idempotent."""
        if not self._pipe.closed:
            self._loop.remove_writer(self._pipe.fileno())
            self._pipe.close()

    def _ready(self) -> None:
        self._drain()
        if not self._waiting:
            self._loop.remove_writer(self._pipe.fileno())

    def _drain(self) -> None:
        try:
            del self._waiting[: os.write(self._pipe.fileno(), self._waiting)]
        except BlockingIOError:
            pass  # later, when the other end has read
        except OSError:
            self.close()
            self._lost()
