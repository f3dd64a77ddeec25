"""Several workers behind one port: started, replaced when they die, restarted one by one.

SIGTERM or SIGINT lets all of them drain; sent again, it hurries them. SIGHUP starts a new worker
for each old one, which leaves once the new one serves: new code and new keys without an outage.
Nothing is waited for: while a new worker starts, signals are heard and the dead are replaced.
Workers are told by their line, not by a signal; one whose supervisor is gone drains by itself.
"""

import logging
import multiprocessing
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait

import uvicorn

from agentxsuite.project.serving import STARTED, STOP, Server

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
MANY = 64  # signals that are read at once
PULSE = 1.0  # seconds without a signal, after which what is missing is started again
START = 60.0  # seconds in which a new worker has to serve, or the old ones stay

log = logging.getLogger("uvicorn.error")  # where the workers' own starting and stopping is told
spawn = multiprocessing.get_context("spawn")


class Worker:
    """One process; the line to it breaks when either side is gone."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        self._line, theirs = spawn.Pipe()
        self.process = spawn.Process(target=work, args=(config, listening, theirs))
        self.process.start()
        theirs.close()
        self._until = time.monotonic() + START
        self._serves = False
        self._told = 0

    @property
    def lives(self) -> bool:
        """Whether the process is there."""
        return self.process.is_alive()

    @property
    def serves(self) -> bool:
        """Whether it has ever served."""
        if not self._serves and self._line.poll():
            with suppress(EOFError, OSError):
                self._serves = self._line.recv_bytes() == STARTED
        return self._serves

    @property
    def late(self) -> bool:
        """Whether it should serve by now, and never has."""
        return not self.serves and time.monotonic() > self._until

    def stop(self, times: int = 1) -> None:
        """Let it drain; told more often, in all, it hurries."""
        for _ in range(self._told, times):
            with suppress(OSError):  # it is gone
                self._line.send_bytes(STOP)
        self._told = max(self._told, times)


class Supervisor:
    """Keeps as many workers as `config` says behind one socket."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._config = config
        self._workers: list[Worker] = []
        self._outdated: list[Worker] = []  # those of the workers that are to be replaced
        self._leaving: list[Worker] = []
        self._told = 0  # how often to stop
        self._status = 0

    def run(self) -> int:
        """Serve until told to stop; the exit status."""
        with heard() as ear, self._config.bind_socket() as listening:
            self._fill(listening)
            while self._workers or self._leaving or not self._told:
                told = ear.recv(MANY) if wait([ear], PULSE) else b""
                self._hear(told, listening)
        return self._status

    def _hear(self, told: bytes, listening: socket.socket) -> None:
        """Do what the signals say, each of them; their numbers are the bytes."""
        for _ in range(told.count(signal.SIGTERM) + told.count(signal.SIGINT)):
            self._stop()
        again = signal.SIGHUP in told
        if again:
            self._outdated = list(self._workers)
        lost = self._bury()
        if self._told:
            return
        if lost or again or not told:
            self._fill(listening)
        if self._outdated:
            self._roll(listening)

    def _fill(self, listening: socket.socket) -> None:
        """Start as many as are missing, and one more while old ones are to be replaced."""
        while len(self._workers) < self._config.workers + bool(self._outdated):
            self._workers.append(Worker(self._config, listening))

    def _stop(self) -> None:
        """Let all drain; those who leave already need not hurry for that."""
        self._told += 1
        self._leaving += self._workers
        self._workers = []
        for worker in self._leaving:
            worker.stop(self._told)

    def _roll(self, listening: socket.socket) -> None:
        """Let one old worker leave as soon as all others serve, who are enough without it."""
        late = [one for one in self._workers if one.late and one not in self._outdated]
        for worker in late:
            self._dismiss(worker)
        if late:
            return self._give_in()
        old = min(self._outdated, key=lambda worker: worker.serves)
        others = [worker for worker in self._workers if worker is not old]
        if len(others) >= self._config.workers and all(worker.serves for worker in others):
            self._outdated.remove(old)
            self._dismiss(old)
            self._fill(listening)
        return None

    def _dismiss(self, worker: Worker) -> None:
        self._workers.remove(worker)
        self._leaving.append(worker)
        worker.stop()

    def _give_in(self) -> None:
        """Keep the old workers."""
        log.error("a new worker does not serve: the old ones stay")
        self._outdated = []

    def _bury(self) -> bool:
        """Forget the dead; whether one is gone that had served. None that could serve: give up."""
        for worker in self._leaving:
            if worker.late:  # it never listened to anybody
                worker.process.kill()
        self._leaving = [worker for worker in self._leaving if worker.lives]
        dead = [worker for worker in self._workers if not worker.lives]
        self._workers = [worker for worker in self._workers if worker not in dead]
        for worker in dead:
            log.warning("worker %s died: %s", worker.process.pid, worker.process.exitcode)
        if self._outdated and any(not (one.serves or one in self._outdated) for one in dead):
            self._give_in()
        self._outdated = [worker for worker in self._outdated if worker not in dead]
        lost = any(worker.serves for worker in dead)
        if dead and not lost and not any(worker.serves for worker in self._workers):
            self._status = dead[0].process.exitcode or 0
            self._stop()
        return lost


@contextmanager
def heard() -> Iterator[socket.socket]:
    """Within the block signals do nothing but be told: their numbers can be read as bytes."""
    ear, mouth = socket.socketpair()
    with ear, mouth:
        mouth.setblocking(False)  # noqa: FBT003 - Python's own, and asked for by it
        before = signal.set_wakeup_fd(mouth.fileno())
        handlers = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
        try:
            yield ear
        finally:
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)


def work(config: uvicorn.Config, listening: socket.socket, line: Connection) -> None:
    """Be a worker: serve on the shared socket until told to stop."""
    signal.signal(signal.SIGHUP, lambda *_: None)  # meant for the supervisor, if for the group
    config.configure_logging()  # a new process begins without
    Server(config, line).run(sockets=[listening])
