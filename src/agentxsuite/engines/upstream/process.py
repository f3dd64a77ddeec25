"""A child process that speaks in lines: started clean, watched, and ended with all its children.

The loop's own subprocesses are not used: one of the loops we run on lets the child inherit files,
which hides from us that it closed its output. Linux only (pidfd, prlimit).
"""

import asyncio
import os
import resource
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, cast

from agentxsuite.engines.upstream.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamUnavailable,
)
from agentxsuite.engines.upstream.pipes import Inlet, Outlet
from agentxsuite.engines.upstream.templates import Limits

MAX_LINE = 4 * 1024 * 1024  # give or take one read
MAX_UNREAD = 16 * 1024 * 1024  # what may wait for a process that does not read
MAX_REMARKS = 64  # pieces of stderr kept for whoever looks into a failure
EXIT_SECONDS = 1.0  # between the polite end and the hard one
LAST_WORDS_SECONDS = 0.2  # for output that is still in the pipe when a process is gone

_MIB = 1024 * 1024


class Process:
    """A running server: ``on_line`` gets what it writes, ``on_end`` hears once why it ended.

    An UpstreamProtocolError from ``on_line`` ends it.
    """

    def __init__(
        self, on_line: Callable[[bytes], None], on_end: Callable[[UpstreamError], None]
    ) -> None:
        self._on_line = on_line
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._line = bytearray()
        self._remarks: deque[bytes] = deque(maxlen=MAX_REMARKS)
        self._exited = asyncio.Event()
        self.ended = False

    @property
    def pid(self) -> int:
        """The process, which is also its group and its session."""
        return self._child.pid

    @property
    def remarks(self) -> bytes:
        """The last of what it wrote to stderr."""
        return b"".join(self._remarks)

    def spawn(
        self, argv: Sequence[str], environment: Mapping[str, str], cwd: str, limits: Limits
    ) -> None:
        """Start it: no shell, nothing inherited; raises UpstreamUnavailable."""
        try:
            self._child = subprocess.Popen(  # noqa: S603  an operator's template, filled safely
                argv,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            reason = f"The command cannot be started: {error.strerror}."
            raise UpstreamUnavailable(reason) from None
        self._stdin = Outlet(_piped(self._child.stdin), self._lost)
        self._stdout = Inlet(_piped(self._child.stdout), self._heard, self._lost)
        self._stderr = Inlet(_piped(self._child.stderr), self._remark, _nothing)
        self._watch = os.pidfd_open(self.pid)
        self._loop.add_reader(self._watch, self._exit)
        _limit(self.pid, limits)

    def write(self, line: bytes) -> None:
        """Send one line; raises UpstreamUnavailable when nobody reads it."""
        if self._stdin.waiting > MAX_UNREAD:
            raise UpstreamUnavailable("The upstream's process does not read its input.")
        self._stdin.write(line + b"\n")

    def fail(self, reason: UpstreamError) -> None:
        """End it at once, with its whole group; idempotent."""
        self._signal(signal.SIGKILL)
        self._stop(reason)

    async def end(self) -> None:
        """Ask it to go, give it a moment, then make it go."""
        self._stop(UpstreamUnavailable("The connection to the upstream was closed."))
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_SECONDS):
                await self._exited.wait()
        self._signal(signal.SIGKILL)
        await self._exited.wait()

    # what the loop tells

    def _heard(self, data: bytes) -> None:
        *ends, rest = data.split(b"\n")
        for end in ends:
            self._line += end
            self._take(bytes(self._line))
            self._line.clear()
        self._line += rest
        if len(self._line) > MAX_LINE:
            self._line.clear()
            self.fail(UpstreamProtocolError("The upstream's answer is larger than 4 MiB."))

    def _remark(self, data: bytes) -> None:
        self._remarks.append(data[:1024])

    def _lost(self) -> None:
        # A server that closed its input or output is of no use any more.
        self.fail(UpstreamUnavailable("The upstream's process has ended."))

    def _exit(self) -> None:
        # Until it is reaped nobody else can have its number: its children go first.
        self._signal(signal.SIGKILL)
        self._child.wait()
        self._exited.set()
        self._loop.remove_reader(self._watch)
        os.close(self._watch)
        if self.ended:
            self._close()
        else:
            self._loop.call_later(LAST_WORDS_SECONDS, self._lost)

    # inside

    def _take(self, line: bytes) -> None:
        try:
            self._on_line(line)
        except UpstreamProtocolError as error:
            # Whose answer it was cannot be told, so everybody who waits hears of it.
            self.fail(error)

    def _stop(self, reason: UpstreamError) -> None:
        if not self.ended:
            self.ended = True
            self._on_end(reason)
            if self._exited.is_set():
                self._close()

    def _close(self) -> None:
        for pipe in (self._stdin, self._stdout, self._stderr):
            pipe.close()

    def _signal(self, number: signal.Signals) -> None:
        if not self._exited.is_set():
            os.killpg(self.pid, number)


def _piped(pipe: IO[bytes] | None) -> IO[bytes]:
    return cast("IO[bytes]", pipe)


def _nothing() -> None:
    """A server may close its stderr."""


def _limit(pid: int, limits: Limits) -> None:
    """Bound a process and all it starts, from outside (prlimit(2)), right after its start.

    A function run in the child between fork and exec could deadlock: this program has threads.
    """
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_AS: limits.memory_mib and limits.memory_mib * _MIB,
        resource.RLIMIT_FSIZE: limits.file_mib and limits.file_mib * _MIB,
    }
    for kind, bound in bounds.items():
        if bound is not None:
            resource.prlimit(pid, kind, (bound, bound))
