"""The database of a test run, chosen before Django is set up: a pytest plugin.

TEST_PART=2/5 runs the second of five parts: whole files, each in exactly one of them.
TEST_DATABASE=sqlite (the default) or postgres. PostgreSQL is the one of DATABASE_URL where that
is set, else one that is started here. A test marked `database` concerns the database and runs on
both; `database(only="postgres")` tells of something that the other one does not have.
"""

import os
import secrets
import shutil
import tempfile
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from tests.servers.postgres import Postgres, lay_out

LISTED_SKIPS: dict[str, str] = {}  # node id: why nobody can run it
OURS = ("DEBUG", "PUBLIC_URL", "ALLOWED_HOSTS", "EGRESS_ALLOW", "STDIO_TEMPLATES")
OURS += ("DATABASE_LEDGER_URL", "DATABASE_OWNER_URL", "TRUSTED_ISSUERS", "AGENTS_BY_NAME")
OURS += ("TRUSTED_PROXIES", "MTLS_HEADER")
OURS += ("REGISTRATION", "TOKEN_KEYS", "SECRET_KEYS", "DATA_DIR", "SECRET_KEY", "PLANE")


class Part(NamedTuple):
    """One of several parts of all files of tests."""

    number: int
    of: int

    @classmethod
    def read(cls) -> "Part":
        """Return the one that TEST_PART names, by default everything."""
        number, _, of = os.environ.get("TEST_PART", "1/1").partition("/")
        part = cls(int(number), int(of))
        if not 1 <= part.number <= part.of:
            raise pytest.UsageError(f"TEST_PART must be like 2/5, not {number}/{of}")
        return part

    def has(self, file: Path) -> bool:
        """Whether a file is in it."""
        return zlib.crc32(file.name.encode()) % self.of == self.number - 1


class Matrix:
    """One cell of the matrix, for the time of one run."""

    def __init__(self) -> None:
        """Read which one."""
        self.database = os.environ.get("TEST_DATABASE", "sqlite")
        if self.database not in {"sqlite", "postgres"}:
            raise pytest.UsageError(f"TEST_DATABASE must be sqlite or postgres: {self.database}")
        self.part = Part.read()
        self.folder = tempfile.mkdtemp(prefix="agentxsuite-tests-")
        self.server: Postgres | None = None

    def enter(self) -> None:
        """Set every variable that the settings read, and start what they need."""
        given = os.environ.pop("DATABASE_URL", "")  # of one who makes roles and databases
        for name in OURS:
            os.environ.pop(name, None)
        os.environ |= {
            "DATA_DIR": self.folder,
            "SECRET_KEY": secrets.token_urlsafe(48),
            **self.addresses(given),
        }

    def addresses(self, given: str) -> dict[str, str]:
        """Return the databases of this run: with PostgreSQL one for each role."""
        if self.database == "sqlite":
            return {"DATABASE_URL": f"sqlite:///{self.folder}/tests.sqlite3"}
        if not given.startswith("postgres"):
            self.server = Postgres()
            self.server.start()
            given = self.server.url("postgres", "postgres")
        return {"TEST_ADMIN_URL": given, **lay_out(given)}

    def leave(self) -> None:
        """Stop what was started and take the folder away."""
        if self.server:
            self.server.destroy()
        shutil.rmtree(self.folder)


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
MATRIX = pytest.StashKey[Matrix]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    early_config.stash[MATRIX] = matrix = Matrix()
    early_config.add_cleanup(matrix.leave)
    matrix.enter()


def pytest_report_header(config: pytest.Config) -> str:
    return f"database: {config.stash[MATRIX].database}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    matrix = config.stash[MATRIX]
    elsewhere = [
        item
        for item in items
        if _only(item) not in {None, matrix.database} or not matrix.part.has(item.path)
    ]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


def _only(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker("database")
    return mark.kwargs.get("only") if mark else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _refuse_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _refuse_skip(report)


def _refuse_skip(report: Report) -> Report:
    if report.skipped and not hasattr(report, "wasxfail") and report.nodeid not in LISTED_SKIPS:
        report.outcome = "failed"
        report.longrepr = f"an unlisted skip: {report.longrepr}"
    return report
