"""What must become of each cell."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from agentxsuite.control.audit.models import AuditEvent
from tests.sweeps.cells import STRANGER, Cell
from tests.sweeps.digests import changed, digests
from tests.sweeps.rows import READS, Row, filled
from tests.sweeps.stage import Answer, Stage

TOO_LOW = {"forbidden", "role_too_low"}  # the control plane's word, and the gateway's
ONCE = {"token", "code", "client_secret"}  # what an answer shows once and nothing else ever does


def play(stage: Stage, row: Row, cell: Cell) -> None:
    """Play one cell; raises AssertionError, which names it."""
    try:
        CHECKS[cell.becomes](stage, row, cell)
    except AssertionError as error:
        error.add_note(f"in the cell: {row}: {cell}")
        raise


def granted(stage: Stage, row: Row, cell: Cell) -> None:
    """It is done; a change is on record, a read leaves nothing, and neither shows Globex."""
    other = stage.acme if cell.caller == STRANGER else stage.globex
    known = set(AuditEvent.objects.values_list("id", flat=True))
    with stage.trial() as before:
        theirs = digests(of=other.org)
        answer = stage.ask(row, cell.caller)
        assert 200 <= answer.status < 300, answer
        stage.shows_nothing_of(other, answer)
        assert not told_secrets(stage, row, answer)
        assert changed(theirs, digests(of=other.org)) == set()
        if row.event:
            on_record(stage, row, cell, answer, AuditEvent.objects.exclude(id__in=known))
        else:
            stage.unchanged(before)
    if row.method in READS and cell.caller != STRANGER:
        full(stage, row, cell, answer)


def full(stage: Stage, row: Row, cell: Cell, answer: Answer) -> None:
    """A list has something to show, and so has it narrowed to what is there."""
    if not isinstance(answer.json, dict) or "results" not in answer.json:
        return
    assert bool(answer.shown) != (cell.caller in row.hidden), answer
    for name, value in row.filters.items():
        found, _ = stage.narrowed(
            row, Cell("", cell.caller, query=name), filled(value, stage.acme.refs)
        )
        assert bool(found.shown) != (cell.caller in row.hidden), (name, found)


def told_secrets(stage: Stage, row: Row, answer: Answer) -> list[str]:
    """The secrets of a request that its answer repeats."""
    return [each for each in filled(list(row.secret), stage.acme.refs) if each in str(answer.body)]


def on_record(stage: Stage, row: Row, cell: Cell, answer: Answer, events: Any) -> None:
    """There is an event that says who did what to what, and none that tells a secret."""
    event_type, action, target = filled(row.event, stage.acme.refs).split(" ")
    rows = list(events)
    meant = [each for each in rows if (each.event_type, each.action) == (event_type, action)]
    assert meant, [(each.event_type, each.action, each.target) for each in rows]
    (event, *_), exact = meant, not target.endswith("*")
    assert event.target == target if exact else event.target.startswith(target[:-1])
    assert event.target.partition(":")[2], event.target
    assert event.subject.startswith(stage.subject(cell.caller)), event.subject
    assert str(event.organization_id) == stage.acme.org or "$org" not in row.path
    text = json.dumps([vars(each) for each in rows], default=str)
    secrets = [*filled(list(row.secret), stage.acme.refs), *shown_once(answer.json)]
    assert [each for each in secrets if each in text] == []


def shown_once(value: Any) -> Iterator[str]:
    """Every token and code that an answer shows."""
    if isinstance(value, list):
        for each in value:
            yield from shown_once(each)
    elif isinstance(value, dict):
        yield from (value[name] for name in ONCE & value.keys() if isinstance(value[name], str))
        yield from shown_once(list(value.values()))


def forbidden(stage: Stage, row: Row, cell: Cell) -> None:
    """A role that is too low is told so, and nothing else."""
    with stage.trial() as before:
        answer = stage.ask(row, cell.caller)
        assert answer.status == 403, answer
        assert answer.json["code"] in TOO_LOW, answer
        stage.shows_nothing_of(stage.globex, answer)
        stage.unchanged(before)


def stopped(stage: Stage, row: Row, cell: Cell) -> None:
    """Without a login there is a challenge, and nothing else."""
    with stage.trial() as before:
        answer = stage.ask(row, cell.caller)
        assert answer.status == 401, answer
        assert answer.headers["www-authenticate"].startswith("Bearer"), answer
        stage.unchanged(before)


def missing(stage: Stage, row: Row, cell: Cell) -> None:
    """What belongs to somebody else is answered as what nobody has."""
    assert alike(stage, row, cell).status == 404


def unknown(stage: Stage, row: Row, cell: Cell) -> None:
    """What belongs to somebody else cannot be named."""
    answer = alike(stage, row, cell)
    assert answer.status == row.foreign, answer


def empty(stage: Stage, row: Row, cell: Cell) -> None:
    """What belongs to somebody else is found by no filter."""
    answer = alike(stage, row, cell)
    assert (answer.status, answer.shown) == (200, []), answer


def alike(stage: Stage, row: Row, cell: Cell) -> Answer:
    """Ask for what is foreign and for what is missing; the answers differ in nothing."""
    other = stage.acme if cell.caller == STRANGER else stage.globex
    with stage.trial() as before:
        foreign, named = stage.ask_cell(row, cell, foreign=True)
        stage.unchanged(before)
    with stage.trial():
        absent, nothing = stage.ask_cell(row, cell, foreign=False)
    assert foreign.status == absent.status, (foreign, absent)
    assert foreign.without(*named) == absent.without(*nothing)
    assert foreign.headers.keys() == absent.headers.keys()
    stage.shows_nothing_of(other, foreign, *named)
    return foreign


CHECKS: dict[str, Callable[[Stage, Row, Cell], None]] = {
    each.__name__: each for each in (granted, forbidden, stopped, missing, unknown, empty)
}
