"""What a command shows: tables and sentences for people, one JSON document for programs.

Texts of strangers (tools, servers, messages) reach a terminal only with their control characters
spelled out, so that none can move the cursor, change colours or hide.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agentxsuite.cli.failures import Failure
from agentxsuite.cli.rows import Row
from agentxsuite.wire import JSON

WIDEST: Final = 10_000  # columns where nobody looks: a program reads whole lines
KEPT: Final = "\n\t"
Columns = Mapping[str, str | Callable[[Row], object]]  # a field, or what to make of the row


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found or did; `failed` is status 1 although the server did as asked."""

    data: JSON
    shown: tuple[Table | str, ...] = ()
    failed: bool = False


def visible(text: str) -> str:
    r"""Spell out what a reader would not see, as JSON does: `\u001b`; line breaks stay."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in KEPT else escaped(each) for each in text)


def escaped(character: str) -> str:
    """Return a character as JSON spells it out."""
    return json.dumps(character)[1:-1]


def cell(value: object) -> str:
    """Return a value as a table shows it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return visible(str(value)).replace("\n", " ")


def table(rows: Iterable[Row], columns: Columns, nothing: str = "none yet") -> Answer:
    """Show rows as a table; a column is the name of a field, or a function of the row."""
    listed = list(rows)
    return Answer(listed, (grid(listed, columns) if listed else nothing,))


def grid(rows: Iterable[Row], columns: Columns) -> Table:
    """Lay rows out."""
    laid = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        found = (row.get(way) if isinstance(way, str) else way(row) for way in columns.values())
        laid.add_row(*(Text(cell(each)) for each in found))
    return laid


def card(row: Row, names: Iterable[str]) -> Table:
    """Lay the named fields of one row out, one a line."""
    laid = Table(box=None, pad_edge=False, show_header=False)
    for name in names:
        laid.add_row(Text(name, style="bold"), Text(cell(row.get(name))))
    return laid


def when(value: str | None) -> str:
    """Return a moment of the API in this machine's time zone, to the second."""
    if not value:
        return "-"
    return f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M:%S}"


def pretty(value: JSON) -> str:
    """Return JSON as people and programs read it."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False))


def inline(value: JSON) -> str:
    """Return JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


def console(*, stderr: bool = False) -> Console:
    """Return where to print; colours are for terminals, and long lines whole for programs."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDEST
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def show(answer: Answer, *, as_json: bool) -> None:
    """Print what a command found."""
    if as_json:
        print(pretty(answer.data))  # noqa: T201 - rich would fold its lines
        return
    out = console()
    for each in answer.shown:
        out.print(visible(each) if isinstance(each, str) else each, soft_wrap=isinstance(each, str))


def show_failure(failure: Failure, *, as_json: bool) -> None:
    """Print why a command is not done: a sentence, the fields at fault, and what to do."""
    if as_json:
        print(pretty(failure.document))  # noqa: T201 - as above
        return
    out = console(stderr=True)
    for line in told(failure):
        out.print(visible(line), soft_wrap=True, style="red" if line.startswith("error") else None)


def told(failure: Failure) -> Iterator[str]:
    """The lines that tell of a failure."""
    document = failure.document
    yield f"error: {failure.detail} ({failure.code})"
    for fault in document.get("errors") or ():
        yield f"  {fault['path'] or '/'}: {fault['message']}"
    if paths := document.get("paths"):
        yield f"  looked at: {', '.join(paths)}"
    if ids := [
        f"{name} {document[name]}" for name in ("run_id", "decision_id") if name in document
    ]:
        yield f"  on record: {', '.join(ids)}"
    if failure.hint:
        yield f"  try: {failure.hint}"


def note(text: str) -> None:
    """Tell something beside the answer, on standard error."""
    console(stderr=True).print(visible(text), soft_wrap=True)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show on a terminal that something takes its time; elsewhere say it once."""
    out = console(stderr=True)
    if out.is_terminal:
        with out.status(Text(visible(text))):
            yield
    else:
        out.print(visible(text), soft_wrap=True)
        yield
