"""What crashes have left on record: everything acknowledged, and nothing by halves."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg

RUNS = "SELECT CAST(id AS text), status, door FROM runs_run"
PARTS = {
    "steps": "SELECT CAST(run_id AS text) FROM runs_runstep",
    "events": "SELECT CAST(run_id AS text) FROM audit_auditevent WHERE run_id IS NOT NULL",
    "keys": "SELECT CAST(run_id AS text) FROM runs_idempotencykey",
}
RUNNING, ENDED = "running", "succeeded"
KEYS = {("keyed", RUNNING): 1, ("keyed", ENDED): 1, ("freed", RUNNING): 1}


@dataclass(frozen=True, slots=True)
class Record:
    """Every run with its status and kind, and how many rows of each part it has."""

    runs: Mapping[str, tuple[str, str]]
    parts: Mapping[str, Counter[str]]

    @classmethod
    def read(cls, address: str) -> "Record":
        """Read all of it as it was at one moment."""
        runs, *parts = snapshot(address, (RUNS, *PARTS.values()))
        known = {plain(run): (status, kind) for run, status, kind in runs}
        counts = [Counter(plain(run) for (run,) in part) for part in parts]
        return cls(known, dict(zip(PARTS, counts, strict=True)))

    def halves(self) -> Iterator[str]:
        """Runs of which something is missing or too much."""
        for run, (status, kind) in self.runs.items():
            whole = 2 if status == ENDED else 1
            expected = {"steps": whole, "events": whole, "keys": KEYS.get((kind, status), 0)}
            found = {name: counts[run] for name, counts in self.parts.items()}
            if found != expected:
                yield f"run {run} ({kind}, {status}) has {found}, not {expected}"
        for name, counts in self.parts.items():
            yield from (f"{name} of a run that is not there: {run}" for run in counts - self.known)

    def losses(self, said: Sequence[str]) -> Iterator[str]:
        """Changes that were acknowledged and are not there."""
        for word, run in map(str.split, said):
            status = self.runs.get(plain(run), ("missing", ""))[0]
            if status not in ((ENDED,) if word == "e" else (RUNNING, ENDED)):
                yield f"{'end' if word == 'e' else 'start'} of run {run} was acknowledged: {status}"

    @property
    def known(self) -> Counter[str]:
        """All runs, as often as anything could refer to them."""
        return Counter(dict.fromkeys(self.runs, 1_000_000))


def snapshot(address: str, statements: Sequence[str]) -> list[Sequence[tuple[str, ...]]]:
    """What each of the statements finds, all at one moment."""
    if address.startswith("postgresql:"):
        with psycopg.connect(address) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return [connection.execute(statement).fetchall() for statement in statements]
    with closing(sqlite3.connect(address, isolation_level=None)) as file:
        file.execute("BEGIN")
        return [file.execute(statement).fetchall() for statement in statements]


def plain(run: str) -> str:
    """An id as SQLite keeps it."""
    return run.replace("-", "")
