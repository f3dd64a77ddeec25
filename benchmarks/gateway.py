"""An installation of AgentxSuite for the benchmark: one agent, one tool, one worker."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import calls
from benchmarks.calls import Address, Call
from benchmarks.processes import free_port, module, running

COMMAND = Path(sys.executable).with_name("agentxsuite")


@dataclass(frozen=True, slots=True)
class Installation:
    """A running worker, and what there is to call; ids and names as the API knows them."""

    pid: int
    url: str
    organization: str
    environment: str
    agent: str
    tool: str
    mcp_tool: str
    token: str

    def rest(self) -> Call:
        """The call through the REST door."""
        path = f"/api/v1/orgs/{self.organization}/runs/execute/"
        return calls.rest(Address(self.url + path, self.token), self.agent, self.tool)

    def mcp(self) -> Call:
        """The call through the MCP door, in the era of today."""
        return calls.stateless(self._address(), self.mcp_tool)

    def older_mcp(self) -> Call:
        """The call through the MCP door, as of 2025-11-25."""
        return calls.older(self._address(), self.mcp_tool)

    def _address(self) -> Address:
        return Address(f"{self.url}/mcp/{self.organization}/{self.environment}/", self.token)


@contextmanager
def installed(folder: Path, upstream: str, storage: Mapping[str, str]) -> Iterator[Installation]:
    """Set up a data directory on this storage, and serve it until the block ends."""
    port = free_port()
    folder.mkdir(mode=0o700)
    settings = settings_of(folder, upstream, storage, port)
    run([str(COMMAND), "migrate"], settings)
    tenant = json.loads(run(module("benchmarks.tenant", upstream), settings))
    command = [COMMAND, "serve", "--port", str(port)]
    with running(command, port, folder / "serve.log", settings) as pid:
        yield Installation(pid=pid, url=settings["PUBLIC_URL"], **tenant)


def settings_of(
    folder: Path, upstream: str, storage: Mapping[str, str], port: int
) -> dict[str, str]:
    """The environment variables of an installation."""
    return {
        **storage,
        "DATA_DIR": str(folder),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "of a benchmark, which keeps no secrets",
        "EGRESS_ALLOW": urlsplit(upstream).netloc,
        "DJANGO_SETTINGS_MODULE": "agentxsuite.project.settings",
    }


@contextmanager
def without(
    promise: str, settings: Mapping[str, str], folder: Path, whole: Installation
) -> Iterator[Installation]:
    """Serve the same installation once more, with one promise left out, until the block ends."""
    port = free_port()
    command = module("uvicorn", "benchmarks.without:application", "--port", str(port))
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    left_out = {**settings, "BENCH_WITHOUT": promise}
    log = folder / f"without-{promise.replace(' ', '-')}.log"
    with running(command, port, log, left_out) as pid:
        yield replace(whole, pid=pid, url=f"http://127.0.0.1:{port}")


def run(command: list[str], settings: Mapping[str, str]) -> str:
    """What a command prints; raises RuntimeError with its complaint when it fails."""
    done = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
