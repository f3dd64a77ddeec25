"""Measure governed calls while somebody guesses passwords at the same server, or nobody does.

``python -m benchmarks.guessing`` takes about a minute and prints a table for RESULTS.md; status 1
where others wait more than twice as long.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks import __main__ as bench
from benchmarks import gateway, report, storage
from benchmarks.load import Sample, measure
from benchmarks.processes import end_on_signals, module

ROUNDS, SECONDS, CALLERS = 5, 5.0, 4
GUESSES: Final = 1_000  # of each round, which has an address of its own
HASHED: Final = "401"  # the password was compared; 429 is said before that
BOUND: Final = 2
HEAD: Final = ("governed calls", "p50 ms", "p99 ms", "calls/s", "guesses", "hashed")


class Round(NamedTuple):
    """The same calls, quiet and during a flood, and how many guesses got which answer."""

    quiet: Sample
    flooded: Sample
    answers: dict[str, int]

    def ratio(self, share: float) -> float:
        """How many times as long calls take during the flood."""
        return self.flooded.percentile(share) / self.quiet.percentile(share)


def main() -> int:
    """Measure and print."""
    end_on_signals()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="agentxsuite-bench-")))
        upstream = bench.echo(stack, folder, bench.DIRECT, "upstream").call.address.url
        settings = stack.enter_context(storage.engines(folder))
        home = folder / "home"
        installation = stack.enter_context(gateway.installed(home, upstream, settings))
        rounds = [turn(installation, number) for number in range(ROUNDS)]
    print(report.table(HEAD, list(rows(rounds))))
    return median(each.ratio(0.99) for each in rounds) > BOUND


def turn(installation: gateway.Installation, number: int) -> Round:
    """Measure one round; its guesses come from an address that has guessed nothing yet."""
    quiet = measure(installation.rest(), CALLERS, SECONDS)
    with guessing(installation.url, f"127.0.1.{number + 1}") as answers:
        flooded = measure(installation.rest(), CALLERS, SECONDS)
    found = Round(quiet, flooded, answers)
    bench.say(f"p99 {found.ratio(0.99):.2f} times, p50 {found.ratio(0.5):.2f} times; {answers}")
    return found


@contextmanager
def guessing(url: str, source: str) -> Iterator[dict[str, int]]:
    """Guess as long as the block lasts; the answers are there when it is left."""
    answers: dict[str, int] = {}
    command = module("benchmarks.guesses", url, source, str(GUESSES), str(SECONDS + 1))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as flood:
        yield answers
        told, _ = flood.communicate()
    answers |= json.loads(told)


def rows(rounds: list[Round]) -> Iterator[list[str]]:
    """The figures: medians over the rounds."""
    for name, samples in (
        ("nobody guesses", [each.quiet for each in rounds]),
        ("one address guesses", [each.flooded for each in rounds]),
    ):
        figures = [[each.percentile(0.5), each.percentile(0.99), each.rate] for each in samples]
        p50, p99, rate = map(median, zip(*figures, strict=True))
        yield [name, f"{p50:.2f}", f"{p99:.2f}", f"{rate:,.0f}", "", ""]
    p50, p99 = (median(each.ratio(share) for each in rounds) for share in (0.5, 0.99))
    guesses = median(sum(each.answers.values()) for each in rounds)
    hashed = median(each.answers.get(HASHED, 0) for each in rounds)
    yield ["times as long", f"{p50:.2f}", f"{p99:.2f}", "", f"{guesses:,.0f}", f"{hashed:,.0f}"]


if __name__ == "__main__":
    sys.exit(main())
