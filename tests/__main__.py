"""What `make test` runs: the tests of the database on SQLite, and everything on PostgreSQL.

In parts, one for each core at a time; the first part that fails ends the others. The last line
printed is the sum of what pytest counted, after what all parts together covered.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from tests import coverage_gate
from tests.parts import Failed, Job, run

POSTGRES = [Job("postgres", f"{number}/4") for number in range(1, 5)]
SQLITE = [Job("sqlite", f"{number}/2", ("-m", "database")) for number in range(1, 3)]


def main() -> int:
    """Return 0 when every part passed and enough is covered."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="agentxsuite-coverage-") as folder:
        data = Path(folder) / "coverage"  # out of reach of other runs
        try:
            counts = run([*POSTGRES, *SQLITE], os.cpu_count() or 1, data)
        except Failed as failed:
            say(failed.output)
            say(f"== FAILED: {failed.job}")
            return 1
        enough = coverage_gate.told(data, say)
    told = ", ".join(f"{number} {what}" for what, number in counts.items())
    say(f"== {told} in {time.monotonic() - began:.0f}s ==")
    return 0 if enough else 1


def say(line: str) -> None:
    """Tell whoever waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
