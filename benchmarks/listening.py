"""Measure what clients cost that listen: memory, how soon they hear, and what calls pay for it.

``python -m benchmarks.listening`` takes about three minutes and prints a table for RESULTS.md.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import IO, cast

from benchmarks import gateway, report, storage
from benchmarks.calls import Address, WrongAnswerError
from benchmarks.load import Load, Sample
from benchmarks.processes import (
    cpu_seconds,
    end_on_signals,
    free_port,
    module,
    running,
)
from benchmarks.streams import Stream

AGENTS = 10
CLIENTS = (200, 1_000)
TOOLS = 100
CHANGES = 60
EVERY = 0.7  # seconds between two changes: above a look, so that each is heard by itself
TOOLS_CHANGED = "notifications/tools/list_changed"
KINDS = ("toolsListChanged", "promptsListChanged", "resourcesListChanged")
WARMUP = 1.0  # seconds, and about as many until the process that calls has started
MEASURED = CHANGES * EVERY / 3  # seconds of calls, in each state
Pipes = tuple[IO[str], IO[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """Of one number of clients: KiB in the order of time, seconds until the last has heard."""

    clients: int
    before: int
    opened: int
    changed: int
    closed: int
    heard: list[float]
    alone: tuple[Sample, Sample]
    beside: tuple[Sample, Sample]  # while nothing changes, and while everything does
    cpu: tuple[float, float]  # share of a core, idle streams and while changes are made


def main() -> None:
    """Measure and print."""
    end_on_signals()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="agentxsuite-bench-")))
        port = free_port()
        upstream = module("benchmarks.upstream", "--port", str(port))
        stack.enter_context(running(upstream, port, folder / "upstream.log"))
        kind = storage.KINDS[-1]
        settings = stack.enter_context(kind.started(folder))
        url, home = f"http://127.0.0.1:{port}/mcp", folder / "home"
        installed = stack.enter_context(gateway.installed(home, url, settings))
        serving = int(installed.url.rpartition(":")[2])
        known = gateway.settings_of(home, url, settings, serving)
        gateway.run(module("benchmarks.many_tools", installed.organization, str(TOOLS)), known)
        pipes = stack.enter_context(changing(installed, known))
        tokens = json.loads(pipes[1].readline())
        found = [asyncio.run(measured(installed, tokens, pipes, each)) for each in CLIENTS]
        print(told(kind.name, found))


@contextmanager
def changing(installed: gateway.Installation, known: Mapping[str, str]) -> Iterator[Pipes]:
    """The program that changes policies; what it reads, and what it says."""
    command = module("benchmarks.listeners", installed.organization, str(AGENTS))
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **known},
        text=True,
    ) as process:
        yield cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)


async def measured(
    installed: gateway.Installation, tokens: list[str], pipes: Pipes, clients: int
) -> Found:
    """Everything, with so many clients."""
    alone = await called(installed)
    before = resident(installed.pid)
    path = f"/mcp/{installed.organization}/{installed.environment}/"
    addresses = [Address(installed.url + path, token) for token in tokens]
    streams = [await Stream.open(addresses[at % AGENTS], *KINDS) for at in range(clients)]
    opened, begun = resident(installed.pid), busy(installed.pid)
    await asyncio.sleep(MEASURED)  # nothing happens: that is the subject
    idle = share(begun, busy(installed.pid))
    listening = await called(installed)
    during = asyncio.create_task(called(installed, CHANGES * EVERY - 2 * WARMUP))
    begun = busy(installed.pid)
    heard = [await change(pipes, streams) for _ in range(CHANGES)]
    changes = share(begun, busy(installed.pid))
    beside = (listening, await during)
    changed = resident(installed.pid)
    await asyncio.gather(*(stream.close() for stream in streams))
    again = await called(installed)
    sizes = (before, opened, changed, resident(installed.pid))
    return Found(clients, *sizes, heard, (alone, again), beside, (idle, changes))


async def called(installed: gateway.Installation, seconds: float = MEASURED) -> Sample:
    """Calls, one after the other, from a process that has nothing else to do."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, call, installed, seconds)


def call(installed: gateway.Installation, seconds: float) -> Sample:
    """The same, in that process."""
    return asyncio.run(Load(installed.mcp(), WARMUP, seconds).run(1))


async def change(pipes: Pipes, streams: list[Stream]) -> float:
    """Change a rule; the seconds until the last client has heard. Raises WrongAnswerError."""
    asked, said = pipes
    begun = time.monotonic()
    hearing = asyncio.gather(*(stream.next() for stream in streams))
    asked.write("\n")
    asked.flush()
    committed = float(await asyncio.to_thread(said.readline))
    for told in await hearing:
        if told is None or told.get("method") != TOOLS_CHANGED:
            raise WrongAnswerError(f"no notice: {told}")
    heard = time.monotonic()
    await asyncio.sleep(max(0.0, begun + EVERY - heard))
    return heard - committed


def resident(pid: int) -> int:
    """KiB of memory that a process has; proc(5), ``VmRSS``."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def busy(pid: int) -> tuple[float, float]:
    """Processor time, and the time."""
    return cpu_seconds(pid), time.monotonic()


def share(begun: tuple[float, float], ended: tuple[float, float]) -> float:
    """The part of a core that was used meanwhile."""
    return (ended[0] - begun[0]) / (ended[1] - begun[1])


def told(storage_name: str, found: list[Found]) -> str:
    """The figures as a table."""
    rows = [
        ["memory before, MiB", *(mebibytes(each.before) for each in found)],
        ["with all of them listening", *(mebibytes(each.opened) for each in found)],
        ["KiB a client", *(f"{(each.opened - each.before) / each.clients:.1f}" for each in found)],
        [f"after {CHANGES} changes", *(mebibytes(each.changed) for each in found)],
        ["after they have left", *(mebibytes(each.closed) for each in found)],
        ["ms from a change to the last notice, median", *(ms(median(e.heard)) for e in found)],
        ["the same, slowest change", *(ms(max(each.heard)) for each in found)],
        ["of a core while nothing changes", *(f"{each.cpu[0]:.0%}" for each in found)],
        ["of a core while all changes, with the calls", *(f"{e.cpu[1]:.0%}" for e in found)],
        ["calls/s without them, before and after", *(rates(each) for each in found)],
        ["calls/s beside them, of those without", *(ratio(each, 0) for each in found)],
        ["the same, while all changes", *(ratio(each, 1) for each in found)],
        ["p99 of the calls, times that without", *(slower(each, 0) for each in found)],
        ["the same, while all changes", *(slower(each, 1) for each in found)],
    ]
    head = (f"one worker on {storage_name}", *(f"{each.clients:,} clients" for each in found))
    return report.table(head, rows)


def mebibytes(kib: int) -> str:
    """KiB as MiB."""
    return f"{kib / 1024:.1f}"


def ms(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{seconds * 1000:.0f}"


def rates(found: Found) -> str:
    """How many calls there were without clients."""
    return " and ".join(f"{each.rate:.0f}" for each in found.alone)


def ratio(found: Found, state: int) -> str:
    """The rate of calls in a state, of that without clients."""
    return f"{found.beside[state].rate / mean(each.rate for each in found.alone):.0%}"


def slower(found: Found, state: int) -> str:
    """The slowest calls in a state, against those without clients."""
    alone = mean(each.percentile(0.99) for each in found.alone)
    return f"{found.beside[state].percentile(0.99) / alone:.1f}"


if __name__ == "__main__":
    main()
