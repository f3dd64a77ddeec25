"""Several workers behind one port, each a real process."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from agentxsuite.project.supervisor import Supervisor

REQUEST = b"GET / HTTP/1.1\r\nhost: tests\r\nconnection: close\r\n\r\n"
HELD = b"POST / HTTP/1.1\r\nhost: tests\r\nconnection: close\r\ncontent-length: 2\r\n\r\n"
WORKERS = 2
PATIENCE = 20  # seconds: what takes longer does not happen
ROOT = Path(__file__).parents[3]


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture
def supervised(port):
    """Let a supervisor run while something happens in a thread, then stop it; its exit status."""

    def supervised(happen):
        failures = []

        def play():
            try:
                happen()
            except BaseException as failure:  # noqa: BLE001 - it is raised again in the test
                failures.append(failure)
            os.kill(os.getpid(), signal.SIGTERM)

        thread = threading.Thread(target=play)
        thread.start()
        status = Supervisor(config(port, "process")).run()
        thread.join()
        for failure in failures:
            raise failure
        return status

    return supervised


@pytest.fixture
def answering(port):
    """Ask until so many processes have answered that are none of the given; their numbers."""

    def answering(number=WORKERS, but=()):
        found, until = set(), time.monotonic() + PATIENCE
        while len(found) < number:
            assert time.monotonic() < until, f"{found} answer"
            found |= {ask(port)} - {None, *but}
        return found

    return answering


@pytest.fixture
def apart(port):
    """A supervisor in a group of processes of its own, and the gate at which its workers start."""

    @contextmanager
    def apart(start=60.0):
        with socket.create_server(("127.0.0.1", 0)) as gate:
            gate.settimeout(PATIENCE)
            numbers = (str(port), str(gate.getsockname()[1]), str(start))
            command = (sys.executable, "-m", "tests.unit.project.answering", *numbers)
            with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
                try:
                    for _ in range(WORKERS):
                        let(gate)
                    yield process, gate
                finally:
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)

    return apart


@pytest.fixture
def calls(port):
    """Ask what is answered to its end only when `finish` is called, once by each process."""
    lines = {}

    def call():
        line = connected(port)
        line.sendall(HELD)
        said = b""
        while b"\r\n" not in said.partition(b"\r\n\r\n")[2]:
            more = line.recv(4096)
            assert more, said
            said += more
        if lines.setdefault(int(said.rpartition(b"\r\n\r\n")[2]), line) is not line:
            line.close()

    def calls(number=WORKERS):
        while len(lines) < number:
            call()
        return lines

    yield calls
    for line in lines.values():
        line.close()


def config(port, application):
    application = f"tests.unit.project.answering:{application}"
    return uvicorn.Config(application, port=port, workers=WORKERS, log_config=None)


def connected(port):
    """A connection, once somebody listens: a worker does some time after it was let in to start."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), PATIENCE)
        except ConnectionRefusedError:
            assert time.monotonic() < until, "nobody listens"


def ask(port):
    """The process that answers; None where nobody listens, or it was killed meanwhile."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(REQUEST)
            answer = b"".join(iter(lambda: line.recv(4096), b""))
    except ConnectionError:
        return None
    return int(answer.rpartition(b"\r\n\r\n")[2].removesuffix(b"\r\nok") or 0) or None


def let(gate):
    """Let the next worker that wants to start do so."""
    gate.accept()[0].close()


def finish(line):
    """Whether a call that was held is answered to its end."""
    try:
        line.sendall(b"go")
        return b"".join(iter(lambda: line.recv(4096), b"")) == b"ok"
    except ConnectionError:
        return False


def until_gone(pids):
    until = time.monotonic() + PATIENCE
    while any(map(alive, pids)):
        assert time.monotonic() < until, "they are still there"


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_workers_answer_and_all_stop_in_order(supervised, answering):
    """One of two processors idles, or a stop leaves workers behind that hold the port."""
    workers = set()
    assert supervised(lambda: workers.update(answering())) == 0
    assert len(workers) == WORKERS
    assert os.getpid() not in workers
    assert not any(map(alive, workers))


def test_a_worker_that_dies_is_replaced(supervised, answering):
    """One crash after the other, until nobody answers."""

    def happen():
        before = answering()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        (new,) = answering(1, but=before)
        assert alive(new)
        assert not alive(victim)

    assert supervised(happen) == 0


def test_new_workers_serve_before_old_ones_leave(supervised, answering):
    """New keys or new code need an outage."""

    def happen():
        before = answering()
        os.kill(os.getpid(), signal.SIGHUP)
        answering(WORKERS, but=before)

    assert supervised(happen) == 0


def test_workers_that_cannot_start_end_it_with_their_status(port):
    """A wrong setting is tried for ever, and whoever started it believes that it serves."""
    assert Supervisor(config(port, "broken")).run() == 3


def test_a_signal_to_the_whole_group_counts_once(apart, calls, port):
    """A service manager stops all processes at once: it would cut off every call in flight."""
    with apart() as (process, _):
        (caller,) = calls(1)
        idle = ask_another(port, caller)
        os.killpg(process.pid, signal.SIGTERM)
        until_gone([idle])  # by then the other one has been told whatever it will be told
        os.killpg(process.pid, signal.SIGHUP)  # the terminal is closed, too
        assert finish(calls(1)[caller])
        assert process.wait(PATIENCE) == 0


def test_signals_that_come_together_are_counted(apart, calls):
    """Whoever is in a hurry is not heard, and has to kill the server."""
    with apart() as (process, _):
        lines = calls()
        os.kill(process.pid, signal.SIGSTOP)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            os.kill(process.pid, number)
        for line in lines.values():
            assert is_cut(line)
        assert process.wait(PATIENCE) == 0


def test_a_stop_is_obeyed_while_a_new_worker_starts(apart, answering):
    """A reload that hangs keeps a server from stopping, until it is killed with its calls."""
    with apart() as (process, gate):
        before = answering()
        os.kill(process.pid, signal.SIGHUP)
        starting, _ = gate.accept()
        os.kill(process.pid, signal.SIGTERM)
        until_gone(before)
        starting.close()
        assert process.wait(PATIENCE) == 0


def test_the_dead_are_replaced_while_a_new_worker_starts(apart, answering):
    """A reload that hangs lets nobody answer when the workers die meanwhile."""
    with apart() as (process, gate):
        before = answering()
        os.kill(process.pid, signal.SIGHUP)
        starting, _ = gate.accept()
        os.kill(min(before), signal.SIGKILL)
        let(gate)
        new = answering(1, but=before)
        starting.close()
        assert len(answering(WORKERS, but=[max(before)]) | new) == WORKERS
        until_gone(before)


def test_who_leaves_after_a_reload_is_not_hurried_by_a_stop(apart, calls, answering):
    """A reload and a stop soon after it cut off calls, as two stops do."""
    with apart() as (process, gate):
        lines = dict(calls())
        os.kill(process.pid, signal.SIGHUP)
        for _ in range(WORKERS):
            let(gate)
        new = answering(WORKERS, but=lines)
        os.kill(process.pid, signal.SIGTERM)
        until_gone(new)
        assert all(map(finish, lines.values()))
        assert process.wait(PATIENCE) == 0


def test_a_reload_during_a_reload_replaces_all(apart, answering):
    """New keys are put in place while older ones are being read: some workers stay without."""
    with apart() as (process, gate):
        before = answering()
        os.kill(process.pid, signal.SIGHUP)
        starting, _ = gate.accept()
        os.kill(process.pid, signal.SIGHUP)
        for _ in range(WORKERS - 1):
            let(gate)
        starting.close()
        let(gate)
        until_gone(before)
        assert len(answering(WORKERS, but=before)) == WORKERS


@pytest.mark.parametrize("word", [b"no", b""])
def test_old_workers_stay_when_new_ones_fail_or_hang(apart, answering, word):
    """New code that does not start is an outage."""
    with apart(start=1.0) as (process, gate):
        before = answering()
        os.kill(process.pid, signal.SIGHUP)
        starting, _ = gate.accept()
        starting.sendall(word)
        if word:
            starting.shutdown(socket.SHUT_WR)
        starting.settimeout(PATIENCE)
        assert is_cut(starting)
        starting.close()
        assert answering() == before
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def ask_another(port, known):
    """A process that answers, but not the one that is known."""
    until = time.monotonic() + PATIENCE
    while (found := ask(port)) in {None, known}:
        assert time.monotonic() < until, "no other answers"
    return found


def is_cut(line):
    """Whether it ends, and nothing has come of it."""
    try:
        return line.recv(4096) == b""
    except ConnectionError:
        return True
