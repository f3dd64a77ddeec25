"""A child process that speaks in lines: started clean, watched, and ended with all its children."""

import asyncio
import os
import resource
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import cast

from agentxsuite.engines.upstream.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamUnavailable,
)
from agentxsuite.engines.upstream.templates import Limits

MAX_LINE = 4 * 1024 * 1024  # give or take one read
MAX_UNREAD = 16 * 1024 * 1024  # what may wait for a process that does not read
MAX_REMARKS = 64  # pieces of stderr kept for whoever looks into a failure
EXIT_SECONDS = 1.0  # between the polite end and the hard one
LAST_WORDS_SECONDS = 0.2  # for output that is still in the pipe when a process is gone

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_MIB = 1024 * 1024


class Process(asyncio.SubprocessProtocol):
    """A running server: ``on_line`` gets what it writes, ``on_end`` hears once why it ended.

    An UpstreamProtocolError from ``on_line`` ends it.
    """

    def __init__(
        self, on_line: Callable[[bytes], None], on_end: Callable[[UpstreamError], None]
    ) -> None:
        self._on_line = on_line
        self._on_end = on_end
        self._line = bytearray()
        self._remarks: deque[bytes] = deque(maxlen=MAX_REMARKS)
        self._exited = asyncio.Event()
        self.ended = False

    @property
    def pid(self) -> int:
        """The process, which is also its group and its session."""
        return self._transport.get_pid()

    @property
    def remarks(self) -> bytes:
        """The last of what it wrote to stderr."""
        return b"".join(self._remarks)

    def write(self, line: bytes) -> None:
        """Send one line; raises UpstreamUnavailable when nobody reads it."""
        pipe = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(_STDIN))
        if pipe.get_write_buffer_size() > MAX_UNREAD:
            raise UpstreamUnavailable("The upstream's process does not read its input.")
        pipe.write(line + b"\n")

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
        self._transport.close()

    # asyncio.SubprocessProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn whom to write to."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Cut output into lines; keep the last remarks."""
        if fd == _STDERR:
            self._remarks.append(data[:1024])
            return
        *ends, rest = data.split(b"\n")
        for end in ends:
            self._line += end
            self._take(bytes(self._line))
            self._line.clear()
        self._line += rest
        if len(self._line) > MAX_LINE:
            self._line.clear()
            self.fail(UpstreamProtocolError("The upstream's answer is larger than 4 MiB."))

    def pipe_connection_lost(self, fd: int, _exc: Exception | None) -> None:
        """A server that closed its input or output is of no use any more."""
        if fd != _STDERR:
            self._lost()

    def process_exited(self) -> None:
        """Its children go with it; what it said last may still be in the pipe."""
        self._exited.set()
        self._signal(signal.SIGKILL)
        if self.ended:
            self._transport.close()
        else:
            asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, self._lost)

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

    def _lost(self) -> None:
        self.fail(UpstreamUnavailable("The upstream's process has ended."))
        if self._exited.is_set():  # before, closing would race the reaping of the process
            self._transport.close()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


async def launch(
    process: Process,
    argv: Sequence[str],
    environment: Mapping[str, str],
    cwd: str,
    limits: Limits,
) -> None:
    """Start ``process``: no shell, nothing inherited; raises UpstreamUnavailable."""
    try:
        await asyncio.get_running_loop().subprocess_exec(
            lambda: process,
            *argv,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        raise UpstreamUnavailable(f"The command cannot be started: {error.strerror}.") from None
    _limit(process.pid, limits)


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
            with suppress(ProcessLookupError):
                resource.prlimit(pid, kind, (bound, bound))
