"""Fuzz the REST API: ``python -m tests.fuzz [--short] [--postgres] [operation ...]``.

Every operation of the committed description is asked by an owner, a viewer, nobody, and where
agents come in, an agent. No answer may be a 5xx or differ from the description, and nothing that
contradicts it may be taken. Each run asks the same. Exit status 1 when a promise does not hold.
"""

import argparse
import os
import sys
import tempfile
import time

import django


def main() -> int:
    """Ask what is asked for; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="less of everything, in 60 s")
    parser.add_argument("--postgres", action="store_true", help="with PostgreSQL, not SQLite")
    parser.add_argument("names", nargs="*", metavar="operation", help="ids of operations")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agentxsuite-fuzz-") as folder:
        set_up(folder)
        return played(chosen)


def set_up(folder: str) -> None:
    """Django knows which answers need no description; its database is never opened here."""
    os.environ |= {"DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/none.sqlite3"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "agentxsuite.project.settings"
    django.setup()


def played(chosen: argparse.Namespace) -> int:
    """Run, and tell what was found; the exit status."""
    from tests.fuzz.run import LONG, SHORT, Run  # noqa: PLC0415 - only after set-up

    begun = time.monotonic()
    run = Run(SHORT if chosen.short else LONG, chosen.names)
    run.play(postgres=chosen.postgres)
    sys.stdout.write("".join(f"{line}\n" for line in run.report()))
    sys.stdout.write(f"fuzz: {run.summary()}, {time.monotonic() - begun:.0f} s\n")
    return bool(run.findings or run.blind)


if __name__ == "__main__":
    sys.exit(main())
