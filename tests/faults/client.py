"""The load client as a scenario uses it: started, watched, stopped."""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.faults.answers import Answer, Plan, written
from tests.faults.broken import Broken
from tests.faults.children import die_with_parent
from tests.faults.stage import ROOT, Stage

LOOK = 0.05  # seconds between two looks at what the load wrote
LONGEST = 60.0  # seconds that ending may take beyond the load's patience


@dataclass(frozen=True, slots=True)
class Load:
    """A load that runs, or did; ``prefix`` begins the id of each of its calls."""

    log: Path
    prefix: str
    workers: int

    def answers(self) -> list[Answer]:
        """Every attempt so far."""
        return written(self.log)

    def until(self, seen: Callable[[list[Answer]], bool], seconds: float, what: str) -> None:
        """Wait for something to show in the answers; raises Broken after so many seconds."""
        deadline = time.monotonic() + seconds
        while not seen(self.answers()):
            if time.monotonic() > deadline:
                raise Broken(f"{what}: not within {seconds:g} s; last {self.answers()[-1:]}")
            time.sleep(LOOK)

    def until_all_answer(self, since: float, seconds: float) -> None:
        """Wait until every worker has answered a call with success since that moment."""
        self.until(
            lambda answers: len(first_successes(answers, since)) == self.workers,
            seconds,
            "a success by every worker",
        )


def first_successes(answers: list[Answer], since: float) -> dict[int, float]:
    """By worker, the seconds from that moment to the end of its first call with success."""
    firsts: dict[int, float] = {}
    for answer in answers:
        if answer.status == 201 and answer.ended >= since:
            taken = answer.ended - since
            firsts[answer.worker] = min(taken, firsts.get(answer.worker, taken))
    return firsts


@contextmanager
def loaded(stage: Stage, **changes: float) -> Iterator[Load]:
    """Load all workers until left; ``changes`` are fields of the plan. Begins once all answer."""
    prefix = secrets.token_hex(4)
    log = stage.folder / f"answers-{prefix}"
    tenant = stage.tenant
    ours = (tenant.execute, tenant.mcp, tenant.token, tenant.agent, tenant.tool, tenant.mcp_tool)
    plan = Plan(stage.urls, *ours, prefix, str(log), **changes)
    load = Load(log, prefix, len(stage.workers))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.load"],
        stdin=subprocess.PIPE,
        cwd=ROOT,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - it makes one system call and takes no lock
    )
    assert process.stdin
    with process.stdin as pipe:
        pipe.write(msgspec.json.encode(plan))
    try:
        load.until_all_answer(0, 20)
        yield load
        process.terminate()
        if process.wait(plan.patience + LONGEST):
            raise Broken(f"the load client failed with status {process.returncode}")
    finally:
        process.kill()
        process.wait()
