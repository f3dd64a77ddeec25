"""What `make test` runs: the tests of the database on SQLite, then everything on PostgreSQL.

Fails fast. The last lines printed are pytest's own summary, after what the tests covered.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

COVERED = (sys.executable, "-m", "coverage")
PYTEST = (*COVERED, "run", "--parallel-mode", "-m", "pytest")
RUNS = (
    ("sqlite", "the tests of the database on SQLite", (*PYTEST, "-m", "database")),
    (
        "postgres",
        "every test, on PostgreSQL, and what both runs covered",
        (*PYTEST, "-p", "tests.coverage_gate"),
    ),
)


def main() -> int:
    """Return the exit status of the first run that fails, or 0."""
    with tempfile.TemporaryDirectory(prefix="agentxsuite-coverage-") as folder:
        covered = {"COVERAGE_FILE": str(Path(folder) / "coverage")}  # out of reach of other runs
        for number, (database, what, command) in enumerate(RUNS, start=1):
            print(f"== {number} of {len(RUNS)}: {what}", flush=True)  # noqa: T201 - a program's progress
            chosen = os.environ | covered | {"TEST_DATABASE": database}
            if status := subprocess.run(command, env=chosen, check=False).returncode:
                return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
