"""What `make test` runs: the tests of the database on SQLite, and everything on PostgreSQL.

In parts, one more at a time than there are cores, because tests often wait. The last line printed
is the sum of what pytest counted, after what the parts that failed said, and after what all of them
together covered.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests import coverage_gate
from tests.parts import Job, run

POSTGRES = [Job("postgres", f"{number}/4") for number in range(1, 5)]
SQLITE = [Job("sqlite", f"{number}/2", ("-m", "database")) for number in range(1, 3)]
LONGEST_FIRST = [*POSTGRES[:3], *SQLITE, *POSTGRES[3:]]


def main() -> int:
    """Return 0 when every part passed and enough is covered."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="agentxsuite-coverage-") as folder:
        data = Path(folder) / "coverage"  # out of reach of other runs
        played = run(LONGEST_FIRST, (os.cpu_count() or 1) + 1, data)
        failed = [part for part in played if not part.passed]
        for part in failed:
            say(f"{part.output}\n== FAILED: {part.job}")
        enough = bool(failed) or coverage_gate.told(data, say)  # a part that fails covers less
    counts = sum((part.counts for part in played), Counter[str]())
    told = ", ".join(f"{number} {what}" for what, number in counts.items())
    say(f"== {told} in {time.monotonic() - began:.0f}s ==")
    return 0 if enough and not failed else 1


def say(line: str) -> None:
    """Tell whoever waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
