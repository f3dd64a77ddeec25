"""The writer is killed at random moments, and PostgreSQL itself too: nothing acknowledged is lost.

Each round forks a process that writes as hard as it can; the disk is waited for as in an
installation.
"""

import importlib
import os
import random
import select
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import django
import psycopg

from tests.faults.broken import require
from tests.faults.children import free_port
from tests.faults.crash_record import Record
from tests.faults.database import Database
from tests.faults.progress import say
from tests.faults.stage import COMMAND, common, run, storage

ROUNDS = {True: 5, False: 50}  # short or not; on each of the two databases
SERVER = 10  # every so many rounds PostgreSQL is killed, not its client
LONGEST = 0.3  # seconds until the crash
AFTER = 0.6  # seconds that are watched after a server is back
TOLD = 5  # findings of one kind that are told
ORGANIZATION = (
    "INSERT INTO tenancy_organization (id, name, created_at, updated_at) "
    "VALUES ('{}', 'Crash', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A database: who may see everything, how to write to it, and its server if it has one."""

    name: str
    admin: str
    writer: Callable[[], Any]
    server: Database | None = None


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """Every acknowledged change is on record whole, and no change by halves, on both databases."""
    seed = time.time_ns()
    with TemporaryDirectory(prefix="agentxsuite-faults-") as name:
        warm(Path(name))
        with sqlite(Path(name)) as place:
            lines = [survived(place, ROUNDS[short], random.Random(seed))]  # noqa: S311 - no secret
        with postgresql(Path(name)) as place:
            lines += [survived(place, ROUNDS[short], random.Random(seed))]  # noqa: S311 - no secret
    return lines


def survived(place: Place, rounds: int, chance: random.Random) -> str:
    """Crash it so often, and look what is left; raises Broken."""
    said: list[str] = []
    killed = 0
    for number in range(1, rounds + 1):
        with_server = place.server is not None and number % SERVER == 0
        killed += with_server
        said += crashed(place, chance.uniform(0.0, LONGEST), with_server=with_server)
        if number % SERVER == 0:
            say(f"   {place.name}: {number} crashes, {len(said)} changes acknowledged")
    record = Record.read(place.admin)
    require([*islice(record.losses(said), TOLD), *islice(record.halves(), TOLD)])
    require([] if said else ["nothing was acknowledged before any crash"])
    return (
        f"{place.name}: {rounds} crashes, {killed} of them of the server; "
        f"{len(said)} acknowledged changes of {len(record.runs)} runs are there, each whole"
    )


def crashed(place: Place, seconds: float, *, with_server: bool) -> list[str]:
    """Let a process write for so long and die; what it had acknowledged."""
    with forked(place.writer) as (child, ear):
        heard = listened(ear, seconds)
        if with_server:
            assert place.server, "it has one"
            place.server.kill()
            place.server.start()
            heard += listened(ear, AFTER)
        os.kill(child, signal.SIGKILL)
        heard += listened(ear, None)
    return heard.decode().splitlines()


@contextmanager
def forked(writer: Callable[[], Any]) -> Iterator[tuple[int, int]]:
    """A process that writes, and where it is heard; it is dead afterwards."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        program().write_until_killed(writer, mouth)
    os.close(mouth)
    try:
        yield child, ear
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ear)


def listened(ear: int, seconds: float | None) -> bytes:
    """What is said within so many seconds; None: until the last word."""
    heard, until = [], time.monotonic() + (3600.0 if seconds is None else seconds)
    while (left := until - time.monotonic()) > 0 and select.select([ear], [], [], left)[0]:
        if not (said := os.read(ear, 65536)):
            break
        heard.append(said)
    return b"".join(heard)


def program() -> Any:
    """What the forked processes run; it needs Django's settings."""
    return importlib.import_module("tests.faults.crash_writer")


def warm(folder: Path) -> None:
    """Load everything once, so that a fork writes at once."""
    with mock.patch.dict(os.environ, environment(folder, storage(folder, None, None))):
        django.setup()
        program()


def environment(folder: Path, database: Mapping[str, str]) -> dict[str, str]:
    """The settings of an installation that has no upstream."""
    return {**common(folder, free_port(), free_port()), **database}


@contextmanager
def sqlite(folder: Path) -> Iterator[Place]:
    """The embedded default."""
    path = folder / "faults.sqlite3"
    run([str(COMMAND), "migrate"], environment(folder, storage(folder, None, None)))
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute(ORGANIZATION.format(organization().replace("-", "")))
    ledger = importlib.import_module("agentxsuite.gateway.ledger")
    yield Place("SQLite", str(path), lambda: ledger.SqliteWriter(str(path)))


@contextmanager
def postgresql(folder: Path) -> Iterator[Place]:
    """PostgreSQL with its own settings of fsync and synchronous_commit, written by its role."""
    server = Database()
    try:
        server.start()
        settings = {"REDIS_URL": "", **server.settings()}
        run([str(COMMAND), "migrate"], environment(folder, settings))
        with psycopg.connect(server.admin) as connection:
            connection.execute(ORGANIZATION.format(organization()))
        ledger = importlib.import_module("agentxsuite.gateway.ledger")
        address = settings["DATABASE_LEDGER_URL"]
        yield Place("PostgreSQL", server.admin, lambda: ledger.PostgresWriter(address), server)
    finally:
        server.destroy()


def organization() -> str:
    """Whose keys the forked processes reserve."""
    return str(importlib.import_module("tests.unit.gateway.building").ORGANIZATION)
