"""A thousand tools are synced on SQLite under load: no call fails, and hardly one waits longer.

Each large server is synced twice: its tools are new, then all of them have changed. Before every
sync the same callers are measured alone, so that both sides see the machine in the same state.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import chain
from typing import Any

from tests.faults.answers import Answer
from tests.faults.broken import Broken, require
from tests.faults.children import Child
from tests.faults.client import loaded
from tests.faults.progress import say
from tests.faults.stage import ROOT, Stage, received_log, staged

CALLERS = 8
TOOLS, FEW = 1000, 100  # of a large server; in the short form
ALONE, SHORTLY = 4.0, 1.0  # seconds of load before a sync
MOST = 3.0  # times as long may the slowest hundredth of calls take during a sync
LONGEST = 120.0  # seconds that a sync may take


@dataclass(frozen=True, slots=True)
class Span:
    """Some seconds of the load; times as in its answers."""

    began: float
    ended: float
    answers: Sequence[Answer]

    @property
    def within(self) -> list[float]:
        """How long the calls took, in seconds, that ran at any time of the span."""
        answers = self.answers
        return [a.ended - a.sent for a in answers if a.ended > self.began and a.sent < self.ended]


@dataclass(frozen=True, slots=True)
class Observed:
    """What the callers saw: spans without a sync and with one, and what went wrong."""

    alone: list[Span]
    synced: list[Span]
    wrong: list[str]

    @property
    def ratio(self) -> float:
        """How many times as long the slowest hundredth took during syncs."""
        return percentile(self.synced) / percentile(self.alone)

    def __str__(self) -> str:
        sides = [
            f"p99 {percentile(spans):.0f} ms at {rate(spans):.0f} calls/s {name}"
            for name, spans in (("alone", self.alone), ("during syncs", self.synced))
        ]
        seconds = ", ".join(f"{span.ended - span.began:.1f}" for span in self.synced)
        return f"{sides[0]}, {sides[1]} ({self.ratio:.1f} times; syncs of {seconds} s)"


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """No error and no lock that is told to anybody; in the long form, calls that hardly wait."""
    tools, seconds = (FEW, SHORTLY) if short else (TOOLS, ALONE)
    with staged(1, embedded=True) as stage, larger_upstream(stage):
        shared = observed(stage, tools, seconds, servers=1 if short else 2)
        lines = [f"{tools} tools, {CALLERS} callers, one lock: {shared}"]
        require(shared.wrong)
        if short:
            return lines
        if shared.ratio >= MOST:
            raise Broken(*lines, f"calls wait {shared.ratio:.1f} times as long during a sync")
        with unlocked(stage):
            lines.append(f"each for itself: {observed(stage, tools, seconds, servers=1)}")
    return lines


def observed(stage: Stage, tools: int, seconds: float, servers: int) -> Observed:
    """Sync each of so many new servers twice under load."""
    port, mark = stage.upstream.port, time.monotonic_ns()
    urls = [f"http://127.0.0.1:{port}/many/{tools}/s{mark}n{number}" for number in range(servers)]
    program = (sys.executable, "-m", "tests.faults.connecting")
    made = json.loads(stage.run(*program, stage.tenant.environment, *urls))
    times, wrong = [], []
    with loaded(stage, callers=CALLERS, keyed=0) as load:
        for connection in chain.from_iterable([each, each] for each in made["connections"]):
            began = time.monotonic()
            time.sleep(seconds)  # the load runs, and is measured, without a sync
            before = time.monotonic()
            report = sync(stage, connection, made["login"])
            times.append((began, before, time.monotonic()))
            count = len(report.get("added", ())) + len(report.get("changed", ()))
            if count != tools:
                wrong.append(f"a sync found {count} new tools of {tools}: {str(report)[:300]}")
            say(f"   synced {count} tools in {times[-1][2] - before:.1f} s")
    answers = load.answers()
    wrong += [f"{a.status} {a.code} {a.error}" for a in answers if a.status != 201]
    said = stage.workers[0].log.read_text(errors="replace")
    wrong += [line for line in said.splitlines() if "locked" in line or "Traceback" in line]
    return Observed(
        alone=[Span(began, before, answers) for began, before, _ in times],
        synced=[Span(before, ended, answers) for _, before, ended in times],
        wrong=wrong,
    )


def sync(stage: Stage, connection: str, login: str) -> dict[str, Any]:
    """Ask for it as a person does; the report, or what is said instead."""
    line = HTTPConnection("127.0.0.1", stage.workers[0].port, timeout=LONGEST)
    headers = {"Authorization": f"Bearer {login}"}
    line.request("POST", f"/api/v1/connections/{connection}/sync/", headers=headers)
    report: dict[str, Any] = json.loads(line.getresponse().read())
    line.close()
    return report


def percentile(spans: Sequence[Span], share: float = 0.99) -> float:
    """Milliseconds that this share of the calls of all spans took at most."""
    taken = sorted(chain.from_iterable(span.within for span in spans))
    return taken[int(share * (len(taken) - 1))] * 1000


def rate(spans: Sequence[Span]) -> float:
    """Calls a second."""
    return sum(len(s.within) for s in spans) / sum(s.ended - s.began for s in spans)


@contextmanager
def larger_upstream(stage: Stage) -> Iterator[None]:
    """In place of the stage's upstream, at its port, one that has large servers too."""
    settings = {"PYTHONPATH": str(ROOT)}
    arguments = ("--port", str(stage.upstream.port), "--log", received_log(stage.folder))
    command = [sys.executable, "-m", "tests.faults.catalogue", *arguments, "--delay", "0.01"]
    log = stage.folder / "catalogue.log"
    with replaced(stage.upstream, Child(command, stage.upstream.port, log, settings)):
        yield


@contextmanager
def unlocked(stage: Stage) -> Iterator[None]:
    """In place of the stage's worker one whose writers do not wait for each other."""
    port = stage.workers[0].port
    settings = {**stage.settings, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.faults.unlocked", "serve", "--port", str(port)]
    log = stage.folder / "unlocked.log"
    with replaced(stage.workers[0], Child(command, port, log, settings)):
        yield


@contextmanager
def replaced(usual: Child, other: Child) -> Iterator[None]:
    """Run another server for a while; the usual one stays stopped, as after any fault."""
    usual.stop()
    try:
        other.start()
        yield
    finally:
        other.stop()
