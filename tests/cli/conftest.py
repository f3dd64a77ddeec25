"""A real server on SQLite, a real MCP server behind it, and the command line typed against both."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agentxsuite.project import main
from tests.servers import mcp_http

PASSWORD = "correct horse battery staple"
PIPES = Path(__file__).parents[1] / "servers" / "mcp_stdio.py"
ENDING = 30  # seconds that a server has to end
NUMBERS = count(1)


@dataclass
class Typed:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Terminal:
    """Somebody's terminal, with a configuration directory of their own."""

    def __init__(self, folder: Path, server: str) -> None:
        self.environment = {"XDG_CONFIG_HOME": str(folder), "AGENTXSUITE_SERVER": server}
        self.logins = folder / "agentxsuite" / "logins.json"

    def __call__(self, *words: str, typed: str = "", **environment: str) -> Typed:
        """Type a command, and on its standard input what it asks for."""
        around = self.environment | environment
        result: Result = CliRunner().invoke(main.app, words, input=typed, env=around)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Typed(result.exit_code, result.stdout, result.stderr)

    def ok(self, *words: str, typed: str = "") -> Typed:
        """Type a command that works."""
        done = self(*words, typed=typed)
        assert done.status == 0, done.err + done.out
        return done

    def json(self, *words: str):
        """Type a command that works; what it tells programs."""
        return self.ok(*words, "--json").json


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[str]:
    """The address of a server of its own, as `agentxsuite serve` makes it from nothing."""
    folder = tmp_path_factory.mktemp("server")
    templates = folder / "templates.toml"
    command = json.dumps([sys.executable, str(PIPES), "stateless"])
    templates.write_text(f'[pipes]\ncommand = {command}\nsecret_variable = "PIPES_TOKEN"\n')
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "DATA_DIR": str(folder / "data"),
        "STDIO_TEMPLATES": str(templates),
        "EGRESS_ALLOW": "127.0.0.0/8",
        "PUBLIC_URL": address,
    }
    program = "from agentxsuite.project.main import main; main()"
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-c", program, "serve", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        yield address
        process.send_signal(signal.SIGTERM)
        process.wait(ENDING)


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """A real MCP server built with the SDK."""
    with mcp_http.running() as url:
        yield url


@pytest.fixture
def stranger(server, tmp_path) -> Terminal:
    """Somebody who has not logged in."""
    return Terminal(tmp_path / "config", server)


@pytest.fixture
def address() -> str:
    """An e-mail address that nobody else in these tests has."""
    return f"ada{next(NUMBERS)}@example.org"


@pytest.fixture(scope="session")
def somebody(server, tmp_path_factory) -> Terminal:
    """Somebody who has logged in once: a password's hash takes time."""
    terminal = Terminal(tmp_path_factory.mktemp("somebody"), server)
    terminal.ok("login", "--register", "somebody@example.org", typed=f"{PASSWORD}\n")
    return terminal


@pytest.fixture
def cli(somebody, stranger, address) -> Terminal:
    """Somebody who acts in an organization of this test alone, and its environment dev."""
    shutil.copytree(somebody.logins.parent, stranger.logins.parent)
    stranger.ok("orgs", "create", f"Acme {address}")
    stranger.ok("use", f"Acme {address}/dev")
    return stranger


@pytest.fixture
def connected(cli, upstream) -> Terminal:
    """The same, connected to the MCP server, with an agent that may use its tools but one."""
    return equipped(cli, upstream)


@pytest.fixture(scope="session")
def visitor(server, upstream, tmp_path_factory) -> Terminal:
    """The same, for all tests that change nothing and call nothing."""
    terminal = Terminal(tmp_path_factory.mktemp("visitor"), server)
    line = ("login", "--register", "visitor@example.org", "--org", "Visitors")
    terminal.ok(*line, typed=f"{PASSWORD}\n")
    return equipped(terminal, upstream)


def equipped(terminal: Terminal, upstream: str) -> Terminal:
    """Connect the MCP server, and make an agent that may use its tools but one."""
    terminal.ok("connections", "add", "Tests", upstream)
    terminal.ok("agents", "create", "Clerk", "--allow", "tests/*")
    terminal.ok("policies", "deny", "--tool", "tests/slow", "--message", "Nobody has the time.")
    return terminal
