"""What AgentxSuite keeps its state in: the embedded default, or real PostgreSQL and Redis.

Both servers come as wheels. PostgreSQL keeps its own settings: it waits for the disk at every
commit. Redis keeps nothing on disk, because rate limits need not outlive it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.processes import START, free_port, running
from tests.servers.postgres import Postgres, lay_out
from tests.servers.redis import RedisServer

Settings = dict[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of storage; ``started`` runs it in a folder and yields the settings that name it."""

    name: str
    started: Callable[[Path], AbstractContextManager[Settings]]


@contextmanager
def embedded(folder: Path) -> Iterator[Settings]:
    """SQLite in the data directory, and limits in the one process."""
    yield {"DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}", "REDIS_URL": ""}


@contextmanager
def engines(folder: Path) -> Iterator[Settings]:
    """PostgreSQL and Redis, each a process of its own."""
    with ExitStack() as stack:
        yield {
            **stack.enter_context(postgresql(folder)),
            "REDIS_URL": stack.enter_context(RedisServer()).url,
        }


@contextmanager
def postgresql(folder: Path) -> Iterator[Settings]:
    """The PostgreSQL of the tests, but waiting for the disk; yields its roles' addresses."""
    server, port = Postgres(), free_port()
    command = [server.programs / "bin/postgres", "-D", server.data, "-k", "", "-p", str(port)]
    log, address = folder / "postgresql.log", f"127.0.0.1:{port}"
    try:
        with running(command, port, log, user=server.identity.get("user")):
            superuser = f"postgresql://postgres@{address}/postgres"
            connected(superuser).close()
            yield lay_out(superuser)
    finally:
        server.destroy()


def connected(address: str) -> psycopg.Connection:
    """Connect once the server is done with starting: it listens before it lets anybody in."""
    deadline = time.monotonic() + START
    while True:
        try:
            return psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


KINDS = (Kind("SQLite", embedded), Kind("PostgreSQL + Redis", engines))
