"""Parts of the tests, each a pytest of its own, as many at a time as there are cores."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

COMMAND = (sys.executable, "-m", "coverage", "run", "--parallel-mode", "-m", "pytest")
COUNTED = re.compile(r"(\d+) (passed|failed|errors?|xfailed)")
NOTHING = 5  # pytest's exit status where a part has no test


class Job(NamedTuple):
    """Some of the tests on one database."""

    database: str
    part: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.database}, part {self.part}"


class Played(NamedTuple):
    """What became of a part: what pytest counted, and all that it said."""

    job: Job
    passed: bool
    counts: Counter[str]
    output: str


def run(jobs: Sequence[Job], at_a_time: int, data: Path) -> list[Played]:
    """Play all parts, so many at a time; each is told as it ends."""
    with ThreadPoolExecutor(at_a_time) as threads:
        return list(threads.map(partial(play, data=data), jobs))


def play(job: Job, data: Path) -> Played:
    """Run one part to its end; what it covers goes into files beside `data`."""
    chosen = {"COVERAGE_FILE": str(data), "TEST_DATABASE": job.database, "TEST_PART": job.part}
    done = subprocess.run(
        [*COMMAND, *job.options],
        env=os.environ | chosen,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    summary = done.stdout.strip().rpartition("\n")[2].strip("= ")
    sys.stdout.write(f"{job}: {summary}\n")
    sys.stdout.flush()
    counts = Counter({what: int(number) for number, what in COUNTED.findall(summary)})
    return Played(job, done.returncode in {0, NOTHING}, counts, done.stdout)
