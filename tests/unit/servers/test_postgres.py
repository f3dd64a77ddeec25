"""The PostgreSQL of the tests: real, unprivileged, and gone when they are."""

import os
import signal
import subprocess
import sys

import psutil
import psycopg
import pytest

from tests.servers.postgres import Postgres

PARENT = """
import sys, time
from tests.servers.postgres import Postgres
server = Postgres()
server.start()
print(server.process.pid, server.folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server():
    """A running server with the role that owns what tests use."""
    postgres = Postgres()
    postgres.start()
    postgres.lay_out()
    yield postgres
    postgres.destroy()


def ask(server, question):
    with psycopg.connect(server.url()) as connection:
        return connection.execute(question).fetchone()


def test_tests_are_no_superusers(server):
    """Row-level security is tested by somebody whom it never restrains."""
    question = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    assert ask(server, question) == ("agentxsuite_owner", False, False)


def test_what_was_committed_survives_a_kill(server):
    """A fault test finds faults of its own server instead of ours."""
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url())
    server.start()
    assert ask(server, "SELECT count(*) FROM kept") == (0,)


def test_it_stops_and_starts(server):
    """A test of a restarted database never ends."""
    server.stop()
    server.stop()
    server.kill()
    server.start()
    assert ask(server, "SELECT 1") == (1,)


def test_it_tells_why_it_does_not_start(server):
    """Whoever cannot run the tests is not told why."""
    server.stop()
    options = server.data / "postgresql.auto.conf"
    kept = options.read_text()
    options.write_text("no_such_option = 1\n")
    with pytest.raises(RuntimeError, match="no_such_option"):
        server.start()
    options.write_text(kept)
    server.start()
    assert ask(server, "SELECT 1") == (1,)


def test_it_dies_with_the_tests():
    """Every run that is killed leaves a server behind, until the machine is full of them."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        pid, folder = parent.stdout.readline().split()
        server = psutil.Process(int(pid))
        os.kill(parent.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs([server], timeout=20)
    subprocess.run(["rm", "-r", folder], check=True)
    assert not [left for left in alive if left.status() != psutil.STATUS_ZOMBIE]
