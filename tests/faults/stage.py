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


class Kept:
    """Stages that outlive a scenario, for the next one that wants the same; empty when off."""

    def __init__(self) -> None:
        self.on = False
        self._stages: dict[tuple[int, float, bool], tuple[ExitStack, Stage]] = {}

    def take(self, wanted: tuple[int, float, bool]) -> tuple[ExitStack, Stage]:
        """The stage that was kept, with everything running, or a new one."""
        if wanted not in self._stages:
            return built(*wanted)
        stack, stage = self._stages.pop(wanted)
        for child in (stage.upstream, *stage.workers):
            if not child.running:
                child.start()
        return stack, stage

    def give(self, wanted: tuple[int, float, bool], stack: ExitStack, stage: Stage) -> None:
        """Keep a stage on which nothing went wrong, or take it down."""
        if self.on:
            self._stages[wanted] = stack, stage
        else:
            stack.close()

    def close(self) -> None:
        """Take all of them down."""
        while self._stages:
            self._stages.popitem()[1][0].close()


KEPT = Kept()


@contextmanager
def keeping() -> Iterator[None]:
    """Within the block a stage is built once, and played on by all scenarios that fit it."""
    KEPT.on = True
    try:
        yield
    finally:
        KEPT.on = False
        KEPT.close()


@contextmanager
def staged(workers: int = 2, *, delay: float = 0.01, embedded: bool = False) -> Iterator[Stage]:
    """Start everything; ``delay`` in seconds is what the tool takes. Leaves nothing behind.

    The database may hold the runs of an earlier scenario: tell one's own by the prefix of a load.
    """
    wanted = workers, delay, embedded
    stack, stage = KEPT.take(wanted)
    try:
        yield stage
    except BaseException:  # also a deadline: nobody plays on a stage that is half broken
        stack.close()
        raise
    KEPT.give(wanted, stack, stage)


def built(workers: int, delay: float, embedded: bool) -> tuple[ExitStack, Stage]:  # noqa: FBT001 - as it is kept
    """A new stage, and what takes it down."""
    with ExitStack() as stack:
        stage = build(stack, workers, delay, embedded=embedded)
        return stack.pop_all(), stage


def build(stack: ExitStack, workers: int, delay: float, *, embedded: bool) -> Stage:
    """Start everything, until the stack is closed."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="agentxsuite-faults-")))
    database, redis = (None, None) if embedded else engines(stack)
    upstream = receiver(folder, delay)
    ports = [free_port() for _ in range(workers)]
    start(stack, upstream)
    settings = {**storage(folder, database, redis), **common(folder, ports[0], upstream.port)}
    run([str(COMMAND), "migrate"], settings)
    url = f"http://127.0.0.1:{upstream.port}/mcp"
    tenant = json.loads(run([sys.executable, "-m", "benchmarks.tenant", url], settings))
    served = [worker(folder, port, settings) for port in ports]
    start(stack, *served)
    admin = database.admin if database else str(folder / "faults.sqlite3")
    return Stage(
        folder, settings, admin, database, redis, upstream, tuple(served), Tenant(**tenant)
    )


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


def start(stack: ExitStack, *children: Child) -> None:
    """Start servers side by side, until the stack is closed."""
    for child in children:
        stack.callback(child.stop)
        child.launch()
    for child in children:
        child.wait_until_listening()


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
