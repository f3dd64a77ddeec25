"""A change that is committed is known to the next call on any worker, and costs others little.

Four workers share PostgreSQL and Redis. Under load, something is changed and a call made at once:
its answer must show the change, also while Redis is away. Then ten thousand rules stand, of which
one is edited every second: the slowest calls take less than twice as long with edits as without.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

import msgspec

from tests.faults.answers import Answer
from tests.faults.broken import Broken, require
from tests.faults.children import die_with_parent
from tests.faults.client import loaded
from tests.faults.progress import say
from tests.faults.stage import ROOT, Stage, staged

WORKERS = 4
CALLERS, PAUSE = 4, 0.05  # of the load beside the rounds; seconds between two calls of one
ROUNDS = {True: (30, 20, 10), False: (500, 300, 200)}  # with Redis, without, and with it again
RULES = 10_000
STRETCHES, STRETCH = 10, 4.0  # with and without edits in turn, seconds each
MOST = 2.0  # times the p99 without edits
TOLD = 5  # stale answers that are told
Span = tuple[float, float]
Pipes = tuple[IO[bytes], IO[bytes]]  # what a program reads, and what it says


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """No answer is older than the change before it; edits cost the others little."""
    with staged(WORKERS) as stage:
        lines = fresh(stage, ROUNDS[short])
        return lines if short else [*lines, *edited(stage)]


def fresh(stage: Stage, rounds: tuple[int, int, int]) -> list[str]:
    """The rounds, of which some are played without Redis."""
    redis = stage.redis
    assert redis, "it is staged with one"
    plan = {**place(stage), "urls": stage.urls, "seed": secrets.randbits(32)}
    with loaded(stage, callers=CALLERS, pause=PAUSE), program(stage, "rounds", plan) as pipes:
        lines = [played(pipes, rounds[0], "with Redis")]
        redis.kill()
        try:
            lines.append(played(pipes, rounds[1], "while Redis is away"))
        finally:
            redis.start()
        lines.append(played(pipes, rounds[2], "after Redis came back"))
    return lines


def played(pipes: Pipes, rounds: int, when: str) -> str:
    """Some rounds; how they went. Raises Broken for a stale answer."""
    asked, said = pipes
    asked.write(b"%d\n" % rounds)
    asked.flush()
    found = msgspec.json.decode(said.readline() or b"{}")
    stale = found["stale"]
    require([f"{len(stale)} of {rounds} stale {when}:", *stale[:TOLD]] if stale else [])
    kinds = ", ".join(f"{number} {name}" for name, number in found["rounds"].items())
    slowest = found["slowest"] * 1000
    line = f"{when}: {rounds} rounds, 0 stale ({kinds}); slowest call {slowest:.0f} ms"
    say(line)
    return line


def edited(stage: Stage) -> list[str]:
    """Calls at ten thousand rules, with one edit a second and without, in turn."""
    plan = {**place(stage), "rules": RULES, "stretches": STRETCHES, "seconds": STRETCH}
    with program(stage, "edits", plan) as (asked, said):
        if said.readline() != b"ready\n":
            raise Broken("the ten thousand rules could not be written")
        with loaded(stage) as load:
            asked.write(b"go\n")
            asked.flush()
            spans = [spanned(said.readline()) for _ in range(STRETCHES)]
        answers = load.answers()
    without, with_edits = p99(answers, spans[::2]), p99(answers, spans[1::2])
    ratio = with_edits / without
    line = (
        f"{RULES:,} rules: p99 {without * 1000:.0f} ms without edits, "
        f"{with_edits * 1000:.0f} ms with one a second: {ratio:.2f} times"
    )
    say(line)
    require([line] if ratio >= MOST else [])
    return [line]


def spanned(line: bytes) -> Span:
    """From when to when a stretch was."""
    began, ended = map(float, line.split())
    return began, ended


def p99(answers: Sequence[Answer], spans: Sequence[Span]) -> float:
    """The time in seconds within which 99 of 100 calls that began in these spans were answered."""
    taken = sorted(
        answer.ended - answer.sent
        for answer in answers
        for began, ended in spans
        if began <= answer.sent < ended
    )
    return taken[int(0.99 * (len(taken) - 1))]


def place(stage: Stage) -> dict[str, object]:
    """Where a program works."""
    upstream = f"http://127.0.0.1:{stage.upstream.port}/mcp"
    tenant = stage.tenant
    return {
        "organization": tenant.organization,
        "environment": tenant.environment,
        "upstream": upstream,
    }


@contextmanager
def program(stage: Stage, name: str, plan: Mapping[str, object]) -> Iterator[Pipes]:
    """Run a program of this folder, which uses the services. Raises Broken when it fails."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.faults.{name}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **stage.settings},
        cwd=ROOT,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - it makes one system call and takes no lock
    )
    assert process.stdin
    assert process.stdout
    try:
        with process.stdin as asked, process.stdout as said:
            asked.write(msgspec.json.encode(plan) + b"\n")
            asked.flush()
            yield asked, said
        if process.wait(STRETCH):
            raise Broken(f"tests.faults.{name} failed with status {process.returncode}")
    finally:
        process.kill()
        process.wait()
