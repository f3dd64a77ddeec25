"""Several workers behind one port: started, replaced when they die, restarted one by one.

SIGTERM or SIGINT lets all of them drain; sent again, it hurries them. SIGHUP starts a new worker
for each old one, which leaves once the new one serves: new code and new keys without an outage.
A worker whose supervisor is gone drains by itself.
"""

import logging
import multiprocessing
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait

import uvicorn

from agentxsuite.project.serving import STARTED, Server

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
MANY = 64  # signals that are read at once
PULSE = 1.0  # seconds without a signal, after which what is missing is started again
START = 60.0  # seconds a new worker has to serve before an old one leaves

log = logging.getLogger("uvicorn.error")  # where the workers' own starting and stopping is told
spawn = multiprocessing.get_context("spawn")


class Worker:
    """One process; the line to it breaks when either side is gone."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        self._line, theirs = spawn.Pipe()
        self.process = spawn.Process(target=work, args=(config, listening, theirs))
        self.process.start()
        theirs.close()
        self._serves = False

    @property
    def lives(self) -> bool:
        """Whether the process is there."""
        return self.process.is_alive()

    def serves(self, seconds: float = 0.0) -> bool:
        """Whether it has ever served, at the latest in so many seconds."""
        if not self._serves and self._line.poll(seconds):
            try:
                self._serves = self._line.recv_bytes() == STARTED
            except EOFError:
                return False
        return self._serves


class Supervisor:
    """Keeps as many workers as `config` says behind one socket."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._config = config
        self._workers: list[Worker] = []
        self._leaving: list[Worker] = []
        self._stopping = False
        self._status = 0

    def run(self) -> int:
        """Serve until told to stop; the exit status."""
        with heard() as ear, self._config.bind_socket() as listening:
            self._fill(listening)
            while self._workers or self._leaving or not self._stopping:
                told = ear.recv(MANY) if wait([ear], PULSE) else b""
                self._hear(told, listening)
        return self._status

    def _hear(self, told: bytes, listening: socket.socket) -> None:
        """Do what the signals say; their numbers are the bytes."""
        if signal.SIGTERM in told or signal.SIGINT in told:
            self._stop()
        elif signal.SIGHUP in told and not self._stopping:
            self._roll(listening)
        lost = self._bury()
        if not self._stopping and (lost or not told):
            self._fill(listening)

    def _fill(self, listening: socket.socket) -> None:
        """Start as many as are missing."""
        while len(self._workers) < self._config.workers:
            self._workers.append(Worker(self._config, listening))

    def _stop(self) -> None:
        self._stopping = True
        for worker in (*self._workers, *self._leaving):
            worker.process.terminate()

    def _roll(self, listening: socket.socket) -> None:
        """Replace every worker, the old one leaving when the new one serves."""
        for place, old in enumerate(self._workers):
            new = Worker(self._config, listening)
            if not new.serves(START):
                log.error("a new worker does not serve: the old ones stay")
                new.process.kill()
                self._leaving.append(new)
                return
            old.process.terminate()
            self._leaving.append(old)
            self._workers[place] = new

    def _bury(self) -> bool:
        """Forget the dead; whether one is gone that had served. None that could serve: give up."""
        dead = [worker for worker in self._workers if not worker.lives]
        self._workers = [worker for worker in self._workers if worker.lives]
        self._leaving = [worker for worker in self._leaving if worker.lives]
        for worker in dead:
            if not self._stopping:
                log.warning("worker %s died: %s", worker.process.pid, worker.process.exitcode)
        lost = any(worker.serves() for worker in dead)
        if dead and not lost and not any(worker.serves() for worker in self._workers):
            self._status = self._status or dead[0].process.exitcode or 0
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
    config.configure_logging()  # a new process begins without
    Server(config, line).run(sockets=[listening])
