"""What is left when the noise is over: answers, the record and the upstream's log must agree."""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import psycopg

from tests.faults.answers import Answer
from tests.faults.broken import Broken, require
from tests.faults.client import Load
from tests.faults.stage import ROOT, Stage

GRACE = 30.0  # seconds beyond its timeout that a run may be open
TOLD = 5  # findings of one kind that are told
LOOK = 0.5  # seconds between two looks at the record
CODES = re.compile(r"^\| `([a-z_]+)`", re.MULTILINE)
OPEN = ("pending", "running")
RUNS = """
SELECT CAST(id AS text), input_json->>'call', status, outcome_code,
  CAST(started_at AS text), CAST(ended_at AS text), timeout_seconds
FROM runs_run WHERE input_json->>'call' LIKE %s
"""
EVENTS = """
SELECT CAST(run_id AS text), event_type, count(*) FROM audit_auditevent
WHERE run_id IS NOT NULL AND event_type IN ('run_started', 'run_finished') GROUP BY 1, 2
"""
ANY_OPEN = "SELECT count(*) FROM runs_run WHERE status IN ('pending', 'running')"


@dataclass(frozen=True, slots=True)
class Run:
    """A run on record; ids without dashes, which SQLite leaves out."""

    id: str
    call: str
    status: str
    outcome: str | None
    started: datetime | None
    ended: datetime | None
    timeout: float

    @property
    def overdue(self) -> bool:
        """Whether it was, or is, open for longer than it may be."""
        if self.started is None:
            return False
        longest = timedelta(seconds=self.timeout + GRACE)
        return (self.ended or datetime.now(UTC)) - self.started > longest


@dataclass(frozen=True, slots=True)
class Record:
    """All runs of one load, and how often each has an event of each type."""

    runs: dict[str, Run]
    events: Counter[tuple[str, str]]

    def complete(self, run: Run) -> bool:
        """Whether a run that was started has its two events, each once."""
        return all(self.events[run.id, kind] == 1 for kind in ("run_started", "run_finished"))


def agreed(stage: Stage, load: Load) -> list[str]:
    """Compare everything; the figures. Raises Broken with all that disagrees."""
    answers, record = load.answers(), read(stage.admin, load.prefix)
    received = [call for call in stage.received() if call.startswith(load.prefix)]
    known = set(CODES.findall((ROOT / "docs/api/errors.md").read_text()))
    require(
        [
            *told("answered 201 but not on record as such", unrecorded(answers, record)),
            *told("reached the upstream without a run on record", unknown(received, record)),
            *told("reached the upstream twice", twice(received)),
            *told("succeeded twice on record", again(record)),
            *told("answered 500", (show(answer) for answer in answers if answer.status == 500)),
            *told("refused without a documented code", undocumented(answers, known)),
            *told("open for too long", (show(run) for run in record.runs.values() if run.overdue)),
            *told("without its two events", incomplete(record)),
        ]
    )
    return figures(answers, record, received)


def settle(stage: Stage, seconds: float) -> None:
    """Wait until no run is open; raises Broken when one still is after so many seconds."""
    deadline = time.monotonic() + seconds
    while (still := query(stage.admin, ANY_OPEN)[0][0]) and time.monotonic() < deadline:
        time.sleep(LOOK)  # the reaper's work is what is waited for
    if still:
        raise Broken(f"{still} runs are still open after {seconds:g} s")


def read(admin: str, prefix: str) -> Record:
    """The record of one load."""
    runs = {}
    for run_id, call, status, outcome, started, ended, timeout in query(admin, RUNS, f"{prefix}-%"):
        times = moment(started), moment(ended)
        runs[bare(run_id)] = Run(bare(run_id), call, status, outcome, *times, timeout)
    events = {(bare(run), kind): number for run, kind, number in query(admin, EVENTS)}
    return Record(runs, Counter(events))


def query(admin: str, statement: str, *values: object) -> list[tuple]:
    """Rows of either database."""
    if admin.startswith("postgresql:"):
        with psycopg.connect(admin) as connection:
            return connection.execute(statement, values or None).fetchall()
    database = sqlite3.connect(admin)
    try:
        return database.execute(statement.replace("%s", "?"), values).fetchall()
    finally:
        database.close()


def moment(text: str | None) -> datetime | None:
    """A time as either database writes it."""
    if text is None:
        return None
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def bare(identifier: str) -> str:
    """An id as both databases' records are compared."""
    return identifier.replace("-", "")


def unrecorded(answers: Sequence[Answer], record: Record) -> Iterator[str]:
    """Calls that their caller believes to have succeeded, and the record does not."""
    good = {run.call: run for run in record.runs.values() if run.status == "succeeded"}
    for answer in answers:
        run = good.get(answer.call)
        named = bare(answer.run_id) or (run and run.id)  # an MCP answer names no run
        if answer.status == 201 and not (run and run.id == named and record.complete(run)):
            yield f"{show(answer)} {show(run) if run else 'no run that succeeded'}"


def again(record: Record) -> Iterator[str]:
    """Calls that succeeded more than once."""
    good = Counter(run.call for run in record.runs.values() if run.status == "succeeded")
    return (f"{call} ({number} times)" for call, number in good.items() if number > 1)


def unknown(received: Iterable[str], record: Record) -> Iterator[str]:
    """Calls that ran, of which nobody knows."""
    on_record = {run.call for run in record.runs.values()}
    return (call for call in received if call not in on_record)


def twice(received: Iterable[str]) -> Iterator[str]:
    """Calls that ran more than once, though each was asked for once."""
    return (f"{call} ({number} times)" for call, number in Counter(received).items() if number > 1)


def undocumented(answers: Sequence[Answer], known: set[str]) -> Iterator[str]:
    """Answers that tell their caller nothing to act on."""
    for answer in answers:
        if answer.status not in (0, 201) and answer.code not in known:
            yield show(answer)


def incomplete(record: Record) -> Iterator[str]:
    """Runs whose end is on record, but not as both events, each once."""
    for run in record.runs.values():
        if run.started and run.status not in OPEN and not record.complete(run):
            begun, ended = (record.events[run.id, kind] for kind in ("run_started", "run_finished"))
            yield f"{show(run)} {begun} run_started, {ended} run_finished"


def told(what: str, findings: Iterable[str]) -> list[str]:
    """The first findings of a kind, with their number."""
    found = list(findings)
    if not found:
        return []
    return [f"{len(found)} {what}:", *(f"  {line}" for line in islice(found, TOLD))]


def show(thing: Answer | Run) -> str:
    """Enough of an answer or a run to look for it."""
    if isinstance(thing, Run):
        return f"run {thing.id} {thing.call} {thing.status} {thing.outcome}"
    return f"{thing.call} by worker {thing.worker}: {thing.status} {thing.code} {thing.error}"


def figures(answers: Sequence[Answer], record: Record, received: Sequence[str]) -> list[str]:
    """How much there was of everything."""
    kinds = Counter(f"{answer.status} {answer.code}".strip() for answer in answers if answer.status)
    replayed = sum(answer.replayed for answer in answers)
    lost = sum(answer.lost for answer in answers)
    refused = sum(bool(answer.error) for answer in answers) - lost
    ends = Counter(run.outcome or run.status for run in record.runs.values())
    return [
        f"answers: {counted(kinds)}; replayed: {replayed}; none: {lost}; not let in: {refused}",
        f"runs: {counted(ends)}; received upstream: {len(received)}",
    ]


def counted(numbers: Counter[str]) -> str:
    """Names with their numbers, the most frequent first."""
    return ", ".join(f"{number} {name}" for name, number in numbers.most_common())
