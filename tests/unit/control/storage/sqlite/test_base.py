"""The backend on a database file of its own, by connections of several threads."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from copy import deepcopy
from threading import Thread

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, connections

from agentxsuite.control.storage.sqlite.base import DatabaseWrapper
from agentxsuite.control.storage.sqlite.lock import write_lock

pytestmark = pytest.mark.database(only="sqlite")
SOON = 0.01
TABLES = (
    "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
    "CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own.sqlite3"


@pytest.fixture
def opened(path, django_db_blocker):
    """Open connections to the file, with the settings of the real one; closed afterwards."""
    made = []

    def opened(**options):
        facts = deepcopy(connections["default"].settings_dict)
        facts |= {"NAME": path, "OPTIONS": {**settings.DATABASES["default"]["OPTIONS"], **options}}
        connection = DatabaseWrapper(facts)
        connection.inc_thread_sharing()
        made.append(connection)
        return connection

    with django_db_blocker.unblock():
        with closing(opened()) as first:
            for table in TABLES:
                first.cursor().execute(table)
        yield opened
        for connection in made:
            connection.close()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def begin(connection):
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def insert(connection, number=None, table="parent"):
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (%s)", [number])  # noqa: S608 - our own names


def count(connection):
    with connection.cursor() as cursor:
        return cursor.execute("SELECT count(*) FROM parent").fetchone()[0]


@pytest.fixture
def free(path, threads):
    """Whether somebody else could write now."""

    def free():
        try:
            threads.submit(write_lock(path).acquire, SOON).result().release()
        except sqlite3.OperationalError:
            return False
        return True

    return free


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
def test_a_transaction_holds_the_lock_until_it_ends(opened, free, end):
    """The ledger would run into a transaction, or wait for one that is long over."""
    connection = opened()
    assert free()
    begin(connection)
    assert not free()
    insert(connection)
    getattr(connection, end)()
    assert free()


def test_a_commit_that_fails_holds_it_until_the_rollback(opened, free):
    """SQLite keeps such a transaction open: another writer would be told that it is locked."""
    connection = opened()
    begin(connection)
    insert(connection, 7, "child")
    with pytest.raises(IntegrityError):
        connection.commit()
    assert not free()
    connection.rollback()
    assert free()


def test_a_begin_that_fails_lets_go(opened, free, path):
    """One other process in the file would close the database to every writer of this one."""
    connection = opened(timeout=0)
    with closing(sqlite3.connect(path, isolation_level=None)) as elsewhere:
        elsewhere.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="database is locked"):
            begin(connection)
    assert free()


def test_a_single_statement_waits_for_its_turn(opened, path, free, threads):
    """A login would fail, or starve, while calls are recorded."""
    connection = opened(timeout=SOON)
    with (
        write_lock(path).held(),
        pytest.raises(OperationalError, match="database is locked"),
    ):
        threads.submit(insert, connection).result()
    insert(connection)
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO parent VALUES (%s)", [[8], [9]])
    assert count(connection) == 3
    assert free()


def test_waiting_for_a_transaction_ends_as_in_sqlite(opened, path, threads):
    """Who handles a busy database would not know this one for busy."""
    connection = opened(timeout=SOON)
    with (
        write_lock(path).held(),
        pytest.raises(OperationalError, match="database is locked"),
    ):
        threads.submit(begin, connection).result()
    begin(connection)
    connection.rollback()


def test_reading_takes_no_lock(opened, path, threads):
    """Every list and every snapshot would wait behind the writers."""
    reader, writer = opened(timeout=SOON), opened()
    begin(writer)
    insert(writer)
    assert threads.submit(count, reader).result() == 0
    threads.submit(reader.cursor().execute, "BEGIN DEFERRED").result()
    assert threads.submit(count, reader).result() == 0
    writer.commit()
    assert count(reader) == 0
    reader.cursor().execute("COMMIT")
    assert count(reader) == 1


def test_a_deferred_transaction_takes_no_lock(opened, free):
    """Who chose to read in a transaction would stop all writers."""
    connection = opened(transaction_mode="DEFERRED")
    begin(connection)
    assert free()
    connection.rollback()


def test_a_thread_that_dies_in_a_transaction_lets_go(opened, free):
    """One crash would close the database to writers until the restart."""
    connection = opened()

    def die():
        begin(connection)
        insert(connection)

    victim = Thread(target=die)
    victim.start()
    victim.join()
    assert free()
    other = opened()
    insert(other)
    assert count(other) == 1


def test_the_program_runs_on_it():
    """Nothing of all this would be in use."""
    assert isinstance(connections["default"], DatabaseWrapper)
    assert connections["default"].vendor == "sqlite"
