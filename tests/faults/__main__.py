"""Break things under load and see what holds: ``python -m tests.faults [--short] [name ...]``.

Each scenario is a module of this folder with a function ``prove(short)``: it returns figures as
lines of text, and raises Broken where a promise does not hold. Exit status 1 then.
"""

import argparse
import importlib
import re
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tests.faults.broken import Broken
from tests.faults.progress import say
from tests.faults.stage import keeping

FOLDER = Path(__file__).parent
SCENARIO = re.compile(r"^def prove\(", re.MULTILINE)
# Seconds, short or not: several times what a quiet machine needs, to end what would never end.
LONGEST_IN_ALL = {True: 480.0, False: 1800.0}
LONGEST = {True: 150.0, False: 480.0}  # of one scenario


@dataclass(frozen=True, slots=True)
class Result:
    """How one scenario went."""

    name: str
    seconds: float
    lines: Sequence[str]
    held: bool

    def __str__(self) -> str:
        return "\n".join((self.head, *(f"    {line}" for line in self.lines)))

    @property
    def head(self) -> str:
        """Its line without what was found."""
        return f"{self.name:20} {'held' if self.held else 'BROKEN':8} {self.seconds:6.1f} s"


def scenarios() -> list[str]:
    """The names of all scenarios; none is imported for it."""
    files = sorted(FOLDER.glob("*.py"))
    return [file.stem for file in files if SCENARIO.search(file.read_text())]


def main() -> int:
    """Run what is asked for, one after the other; the exit status."""
    known = scenarios()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="less of everything, in two minutes")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(known))
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(known):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    _unwind_on(signal.SIGTERM, signal.SIGHUP)
    begun = time.monotonic()
    with keeping():
        results = list(played(chosen.names or known, LONGEST_IN_ALL[chosen.short], chosen.short))
    broken = sum(not result.held for result in results)
    say("\n".join(("", *map(str, results))))
    say(f"faults: {len(results) - broken} held, {broken} broken, {time.monotonic() - begun:.0f} s")
    return bool(broken)


def played(names: Sequence[str], seconds: float, short: bool) -> Iterator[Result]:  # noqa: FBT001 - as the command line says it
    """Run scenarios within so many seconds, each within its own time too."""
    until = time.monotonic() + seconds
    for number, name in enumerate(names, 1):
        say(f"== {number} of {len(names)}: {name}")
        left = max(1.0, until - time.monotonic())
        yield play(name, min(left, LONGEST[short]), short=short)


def play(name: str, seconds: float, *, short: bool) -> Result:
    """Run one scenario; whatever goes wrong is its result."""
    begun = time.monotonic()
    try:
        with deadline(seconds):
            lines = importlib.import_module(f"tests.faults.{name}").prove(short)
        held = True
    except Broken as broken:
        lines, held = broken.lines, False
    except Exception:  # noqa: BLE001 - the others still have something to show
        lines, held = traceback.format_exc().splitlines()[-20:], False
    result = Result(name, time.monotonic() - begun, lines, held)
    say(f"   {result.head}")
    return result


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise Broken in the block when it takes longer."""

    def end(_number: int, _frame: object) -> NoReturn:
        raise Broken(f"not done within {seconds:.0f} s")

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _unwind_on(*numbers: signal.Signals) -> None:
    """Let a signal end the program as Ctrl-C does, so that every server is stopped."""

    def end(number: int, _frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    for number in numbers:
        signal.signal(number, end)


if __name__ == "__main__":
    sys.exit(main())
