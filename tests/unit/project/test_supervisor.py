"""Several workers behind one port, each a real process."""

import os
import signal
import socket
import threading

import pytest
import uvicorn

from agentxsuite.project.supervisor import Supervisor

REQUEST = b"GET / HTTP/1.1\r\nhost: tests\r\nconnection: close\r\n\r\n"
WORKERS = 2


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
        found = set()
        while len(found) < number:
            found |= {ask(port)} - {None, *but}
        return found

    return answering


def config(port, application):
    application = f"tests.unit.project.answering:{application}"
    return uvicorn.Config(application, port=port, workers=WORKERS, log_config=None)


def ask(port):
    """The process that answers; None where nobody listens, or it was killed meanwhile."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(REQUEST)
            answer = b"".join(iter(lambda: line.recv(4096), b""))
    except ConnectionError:
        return None
    return int(answer.rpartition(b"\r\n")[2] or 0) or None


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
