"""A server in a process of its own, which a scenario may kill, freeze and start again."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

START = 60.0  # seconds a server has to start listening, on a busy machine
STOP = 30.0  # seconds it has to stop by itself
LOOK = 0.02  # seconds between two looks at a port that does not listen yet
PR_SET_PDEATHSIG = 1

_LIBC = ctypes.CDLL(None)


class Child:
    """One server on one port; it dies with the scenario, however that ends."""

    def __init__(
        self, command: Sequence[str | Path], port: int, log: Path, settings: Mapping[str, str]
    ) -> None:
        self.port = port
        self.log = log
        self.command = [str(word) for word in command]
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the one that runs."""
        assert self._process, "it was not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and return when it listens; raises RuntimeError with its log otherwise."""
        self.launch()
        self.wait_until_listening()

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._settings},
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it makes one system call and takes no lock
            )

    def wait_until_listening(self) -> None:
        """Return when the port answers; looks often, because nothing tells when it does."""
        deadline = time.monotonic() + START
        while self.running and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(LOOK)
            else:
                return
        raise RuntimeError(f"{self.command} does not listen on {self.port}:\n{self.said()}")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process, "it was not started"
        self._process.send_signal(number)

    def freeze(self) -> None:
        """It keeps its connections and does nothing."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was frozen."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """Let it die without a word, as `kill -9` does."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float = STOP) -> int:
        """Wait for its end; its exit status. Raises subprocess.TimeoutExpired."""
        assert self._process, "it was not started"
        return self._process.wait(seconds)

    def stop(self) -> None:
        """Stop it and whatever it started, whatever state it is in."""
        if self._process is None:
            return
        self.thaw()
        self.signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.wait()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def die_with_parent() -> None:
    """Ask Linux to end this process when the one that started it is gone, even by SIGKILL."""
    if sys.platform == "linux":
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
