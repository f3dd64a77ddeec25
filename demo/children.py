"""The processes of the demo: started with a log each, and never left behind."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL
from types import TracebackType
from typing import IO, NoReturn, Self

from demo.expectation import Unexpected
from demo.folder import ROOT

START = 30.0  # seconds a server has until it listens
STOP = 10.0  # seconds it has to end by itself
GLANCE = 0.5  # seconds between two looks at whether all still run
TAIL = 1500  # characters of a log that are shown when its process fails


class Children:
    """Starts processes; ends them all, in the opposite order, when the block ends."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._servers: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Self:
        self._guard = subprocess.Popen(  # noqa: S603  -- this project's own module
            python("demo.guard"), cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            unwilling = self.stop()
        finally:
            self._guard.communicate()
        if unwilling and error is None:
            raise Unexpected(f"{', '.join(unwilling)}: expected to end when asked, got nothing")

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
        """Run a process to its end; its output. Raises Unexpected when it fails."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as errors:
            child = self._start(command, environment, subprocess.PIPE, errors)
            output, _ = child.communicate()
        self._tell_guard(-child.pid)
        if child.returncode:
            raise Unexpected(f"{name}: expected status 0, got {child.returncode}\n{tail(log)}")
        return output.decode()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a server, which lives until the block ends."""
        with (self._logs / f"{name}.log").open("wb") as log:
            child = self._start(command, environment, log, log)
        self._servers.append((name, child))

    def await_port(self, name: str, port: int) -> None:
        """Wait until the server listens; raises Unexpected when it does not."""
        child = dict(self._servers)[name]
        deadline = time.monotonic() + START
        while child.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        log = self._logs / f"{name}.log"
        raise Unexpected(f"{name}: expected it on port {port}, got nobody there\n{tail(log)}")

    def watch(self) -> NoReturn:
        """Wait for ever; raises Unexpected when a server ends."""
        while True:
            for name, child in self._servers:
                if child.poll() is not None:
                    log = self._logs / f"{name}.log"
                    raise Unexpected(f"{name}: expected to serve, got its end\n{tail(log)}")
            time.sleep(GLANCE)

    def stop(self) -> list[str]:
        """Ask every server to end, the last one first; the names of those that had to be made."""
        unwilling: list[str] = []
        while self._servers:
            name, child = self._servers.pop()
            child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(STOP)
            if child.returncode is None:
                unwilling.append(name)
            with suppress(ProcessLookupError):
                os.killpg(child.pid, SIGKILL)
            child.wait()
            self._tell_guard(-child.pid)
        return unwilling

    def _start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        output: IO[bytes] | int,
        errors: IO[bytes],
    ) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(  # noqa: S603  -- commands of this project, no shell
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        self._tell_guard(child.pid)
        return child

    def _tell_guard(self, number: int) -> None:
        pipe = self._guard.stdin
        assert pipe is not None, "it was asked for"  # noqa: S101  -- narrows the type
        pipe.write(f"{number}\n".encode())
        pipe.flush()


def python(module: str, *words: str) -> list[str]:
    """The command that runs a module of this project."""
    return [sys.executable, "-m", module, *words]


def script(name: str) -> str:
    """The path of a command that was installed beside this python."""
    return str(Path(sys.executable).parent / name)


def free_ports(number: int) -> list[int]:
    """Different ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def tail(log: Path) -> str:
    """The end of a log."""
    return log.read_text(errors="replace")[-TAIL:].rstrip()
