"""What is fuzzed: a server in its own process, an upstream behind it, and people."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.faults.children import Child, free_port
from tests.faults.database import Database
from tests.servers import mcp_http

COMMAND = Path(sys.executable).with_name("agentxsuite")
PASSWORD = "correct horse battery staple"
PEOPLE = ("owner", "viewer", "guest", "leaver", "changer", "operator")


@dataclass(frozen=True)
class Stage:
    """A server, where it listens, what it said so far, and the address of its upstream."""

    url: str
    upstream: str
    log: Path


@contextmanager
def staged(*, postgres: bool) -> Iterator[Stage]:
    """Start everything; leaves nothing behind."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="agentxsuite-fuzz-")))
        upstream = stack.enter_context(mcp_http.running("--offers"))
        port = free_port()
        settings = {**storage(stack, folder, postgres=postgres), **common(folder, port, upstream)}
        for words in ([COMMAND, "migrate"], [sys.executable, "-m", "tests.fuzz.people"]):
            carry_out(words, os.environ | settings)
        command = [COMMAND, "serve", "--port", str(port)]
        server = Child(command, port, folder / "server.log", settings)
        stack.callback(server.stop)
        server.start()
        try:
            yield Stage(f"http://127.0.0.1:{port}", upstream, server.log)
        except BaseException as error:  # whatever ends the run: what the server said may explain it
            error.add_note(server.said())
            raise


def carry_out(words: Sequence[str | Path], settings: Mapping[str, str]) -> None:
    """Run a program to its end; raises RuntimeError with what it said when it fails."""
    done = subprocess.run(words, env=settings, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{words} failed:\n{done.stdout}{done.stderr}")


def email(who: str) -> str:
    """The address by which one of the people logs in."""
    return f"{who}@fuzz.example"


def storage(stack: ExitStack, folder: Path, *, postgres: bool) -> Mapping[str, str]:
    """The settings that name the database."""
    if not postgres:
        return {"DATABASE_URL": f"sqlite:///{folder / 'fuzz.sqlite3'}"}
    database = Database()
    stack.callback(database.destroy)
    database.start()
    return database.settings()


def common(folder: Path, port: int, upstream: str) -> Mapping[str, str]:
    """The settings of every database."""
    return {
        "DATA_DIR": str(folder),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "EGRESS_ALLOW": urlsplit(upstream).netloc,
        "REDIS_URL": "",
        "DJANGO_SETTINGS_MODULE": "agentxsuite.project.settings",
    }
