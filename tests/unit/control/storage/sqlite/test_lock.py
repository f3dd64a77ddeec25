"""The lock itself: threads that queue, give up, and die."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from agentxsuite.control.storage.sqlite.lock import WriteLock, write_lock

SOON = 0.01  # seconds that a test lets somebody wait in vain
LONG = 30.0


@pytest.fixture
def lock():
    return WriteLock()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(8) as pool:
        yield pool


def until_queued(lock, count):
    """Spin until so many stand in the queue; each step lets the others run."""
    turn = Event()
    while len(lock._queue) < count:
        turn.wait(0.0001)


def test_they_write_in_the_order_in_which_they_came(lock, threads):
    """A writer that is always back at once would starve the others: calls would wait."""
    order = []

    def write(number):
        with lock.held(LONG):
            order.append(number)

    with lock.held():
        writers = []
        for number in range(6):
            writers.append(threads.submit(write, number))
            until_queued(lock, number + 2)
    for writer in writers:
        writer.result()
    assert order == list(range(6))


def test_one_at_a_time(lock, threads):
    """Two writers at once would get "database is locked" from SQLite after all."""
    inside, most = [], []

    def write(number):
        for _ in range(200):
            with lock.held(LONG):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    list(threads.map(write, range(8)))
    assert max(most) == 1


def test_waiting_is_bounded(lock, threads):
    """A writer that hangs would hang every other one with it."""
    with (
        lock.held(),
        pytest.raises(sqlite3.OperationalError, match="database is locked"),
    ):
        threads.submit(lock.acquire, SOON).result()
    threads.submit(lock.acquire, SOON).result().release()


def test_who_gave_up_is_passed_over(lock, threads):
    """One timeout would stop all writers behind it for ever."""
    with lock.held():
        impatient = threads.submit(lock.acquire, SOON)
        until_queued(lock, 2)
        patient = threads.submit(lock.acquire, LONG)
        with pytest.raises(sqlite3.OperationalError):
            impatient.result()
    patient.result().release()


def test_a_thread_does_not_wait_for_itself(lock):
    """A second connection in one thread would stand still for twenty seconds, then fail anyway."""
    with lock.held(), pytest.raises(sqlite3.OperationalError):
        lock.acquire(LONG)
    lock.acquire(0).release()


def test_a_thread_that_dies_lets_go(lock, threads):
    """One crash within a transaction would close the database to writers until the restart."""
    undone = []
    victim = Thread(target=lock.acquire, args=(LONG, lambda: undone.append(True)))
    victim.start()
    victim.join()
    threads.submit(lock.acquire, LONG).result().release()
    assert undone == [True]


def test_a_death_is_noticed_while_waiting(lock, threads):
    """Who waits already when a writer crashes would wait until its own patience ends."""
    held, may_die = Event(), Event()

    def hold():
        lock.acquire()
        held.set()
        may_die.wait()

    victim = Thread(target=hold)
    victim.start()
    held.wait()
    waiter = threads.submit(lock.acquire, LONG)
    until_queued(lock, 2)
    may_die.set()
    waiter.result().release()


def test_letting_go_twice_harms_nobody(lock, threads):
    """A connection closed after its commit would let two others write at once."""
    first = lock.acquire()
    first.release()
    second = threads.submit(lock.acquire).result()
    first.release()
    with pytest.raises(sqlite3.OperationalError):
        lock.acquire(SOON)
    second.release()


def test_an_error_in_the_block_lets_go(lock, threads):
    """One failed write would be the last one."""
    with pytest.raises(ZeroDivisionError), lock.held():
        raise ZeroDivisionError
    threads.submit(lock.acquire, SOON).result().release()


def test_one_file_has_one_lock_however_it_is_spelled(tmp_path):
    """The ledger and the ORM would each queue at their own lock: at none."""
    path = tmp_path / "data.sqlite3"
    link = tmp_path / "link.sqlite3"
    link.symlink_to(path)
    assert write_lock(path) is write_lock(str(path)) is write_lock(link)
    assert write_lock(path) is write_lock(tmp_path / "." / "data.sqlite3")
    assert write_lock(path) is not write_lock(tmp_path / "other.sqlite3")
