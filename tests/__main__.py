"""What `make test` runs: the tests of the database on SQLite, then everything on PostgreSQL.

Fails fast. The last lines printed are pytest's own summary, after what the tests covered.
"""

import os
import subprocess
import sys

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
    subprocess.run([*COVERED, "erase"], check=True)
    for number, (database, what, command) in enumerate(RUNS, start=1):
        print(f"== {number} of {len(RUNS)}: {what}", flush=True)  # noqa: T201 - a program's progress
        done = subprocess.run(command, env=os.environ | {"TEST_DATABASE": database}, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
