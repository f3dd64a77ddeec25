"""What a scenario plays on: real servers, one tenant, an upstream that notes what reached it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.children import Child, free_port
from tests.faults.database import Database
from tests.servers.redis import RedisServer

COMMAND = Path(sys.executable).with_name("agentxsuite")
ROOT = Path(__file__).parents[2]
Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organization with an agent that may call the one tool; ids and names as the API has."""

    organization: str
    environment: str
    agent: str
    tool: str
    mcp_tool: str
    token: str

    @property
    def execute(self) -> str:
        """The path of the REST door."""
        return f"/api/v1/orgs/{self.organization}/runs/execute/"

    @property
    def mcp(self) -> str:
        """The path of the MCP door."""
        return f"/mcp/{self.organization}/{self.environment}/"


@dataclass(frozen=True)
class Stage:
    """Everything that runs; a scenario breaks it and looks what is left on record.

    ``database`` and ``redis`` are None on SQLite. ``admin`` is the address that sees every row.
    """

    folder: Path
    settings: Settings
    admin: str
    database: Database | None
    redis: RedisServer | None
    upstream: Child
    workers: tuple[Child, ...]
    tenant: Tenant

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of the workers."""
        return tuple(f"http://127.0.0.1:{worker.port}" for worker in self.workers)

    def received(self) -> list[str]:
        """The ids of all calls that the upstream received, in order, as often as it did."""
        return received_log(self.folder).read_text().split()

    def run(self, *command: str | Path) -> str:
        """What a command prints that runs with the settings of the servers."""
        return run([str(word) for word in command], self.settings)


@contextmanager
def staged(workers: int = 2, *, delay: float = 0.01, embedded: bool = False) -> Iterator[Stage]:
    """Start everything; ``delay`` in seconds is what the tool takes. Leaves nothing behind."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="agentxsuite-faults-")))
        database, redis = (None, None) if embedded else engines(stack)
        upstream = started(stack, receiver(folder, delay))
        ports = [free_port() for _ in range(workers)]
        settings = {**storage(folder, database, redis), **common(folder, ports[0], upstream.port)}
        run([str(COMMAND), "migrate"], settings)
        tenant = json.loads(
            run(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.tenant",
                    f"http://127.0.0.1:{upstream.port}/mcp",
                ],
                settings,
            )
        )
        served = tuple(started(stack, worker(folder, port, settings)) for port in ports)
        admin = database.admin if database else str(folder / "faults.sqlite3")
        yield Stage(folder, settings, admin, database, redis, upstream, served, Tenant(**tenant))


def engines(stack: ExitStack) -> tuple[Database, RedisServer]:
    """PostgreSQL and Redis, until the stack is closed."""
    database = Database()
    stack.callback(database.destroy)
    database.start()
    return database, stack.enter_context(RedisServer())


def storage(folder: Path, database: Database | None, redis: RedisServer | None) -> Settings:
    """The settings that name the database and Redis: the one place that knows their names."""
    if database is None or redis is None:
        return {"DATABASE_URL": f"sqlite:///{folder / 'faults.sqlite3'}", "REDIS_URL": ""}
    return {**database.settings(), "REDIS_URL": redis.url}


def common(folder: Path, port: int, upstream: int) -> Settings:
    """The settings that every process shares; one address stands for all workers."""
    return {
        "DATA_DIR": str(folder),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "of a scenario, which keeps no secrets",
        "EGRESS_ALLOW": f"127.0.0.1:{upstream}",
        "DJANGO_SETTINGS_MODULE": "agentxsuite.project.settings",
    }


def started(stack: ExitStack, child: Child) -> Child:
    """Start a server, until the stack is closed."""
    stack.callback(child.stop)
    child.start()
    return child


def receiver(folder: Path, delay: float) -> Child:
    """The upstream."""
    port = free_port()
    arguments = ("--port", str(port), "--log", received_log(folder), "--delay", str(delay))
    command = [sys.executable, "-m", "tests.faults.upstream", *arguments]
    return Child(command, port, folder / "upstream.log", {"PYTHONPATH": str(ROOT)})


def received_log(folder: Path) -> Path:
    """The file in which the upstream notes what it received."""
    return folder / "received"


def worker(folder: Path, port: int, settings: Settings) -> Child:
    """One worker of the installation."""
    command = [COMMAND, "serve", "--port", str(port)]
    return Child(command, port, folder / f"worker-{port}.log", settings)


def run(command: list[str], settings: Settings) -> str:
    """What a command prints; raises RuntimeError with its complaint when it fails."""
    done = subprocess.run(
        command,
        env={**os.environ, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
