"""Parts of the tests, each a pytest of its own, as many at a time as there are cores."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
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


class Failed(Exception):
    """A part failed; its whole output."""

    def __init__(self, job: Job, output: str) -> None:
        super().__init__(str(job))
        self.job = job
        self.output = output


class Running:
    """The processes under way, so that they can be ended together."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._processes: set[subprocess.Popen[str]] = set()
        self._ended = False

    def play(self, job: Job) -> Counter[str]:
        """Run one part and return what pytest counted; raises Failed."""
        if self._ended:
            return Counter()
        process = self._begin(job)
        output, _ = process.communicate()
        self._processes.discard(process)
        if process.returncode not in {0, NOTHING} and not self._ended:
            raise Failed(job, output)
        summary = output.strip().rpartition("\n")[2].strip("= ")
        sys.stdout.write(f"{job}: {summary}\n")
        sys.stdout.flush()
        return Counter({what: int(number) for number, what in COUNTED.findall(summary)})

    def _begin(self, job: Job) -> "subprocess.Popen[str]":
        chosen = {
            "COVERAGE_FILE": str(self._data),
            "TEST_DATABASE": job.database,
            "TEST_PART": job.part,
        }
        process = subprocess.Popen(
            [*COMMAND, *job.options],
            env=os.environ | chosen,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._processes.add(process)
        return process

    def end(self) -> None:
        """Stop what runs; each takes its servers along."""
        self._ended = True
        for process in tuple(self._processes):
            process.send_signal(signal.SIGINT)


def run(jobs: Sequence[Job], at_a_time: int, data: Path) -> Counter[str]:
    """Play all parts; what they counted together. Raises Failed for the first that failed."""
    running = Running(data)
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(at_a_time) as threads:
        try:
            for played in as_completed([threads.submit(running.play, job) for job in jobs]):
                counts += played.result()
        finally:
            running.end()
    return counts
