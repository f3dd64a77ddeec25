"""connections import: every server of a client's mcp.json, behind the door."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from agentxsuite.cli.bringing import Outcome, bring, differs, summary
from agentxsuite.cli.failures import Misused
from agentxsuite.cli.mcp_file import Entry, read
from agentxsuite.cli.output import Answer, waiting
from agentxsuite.cli.rows import Row
from agentxsuite.cli.session import Session
from agentxsuite.cli.templates import proposal

NO_TEMPLATE = "agentxsuite templates add"  # as the hint of the refusal says


@dataclass(frozen=True, slots=True)
class Wish:
    """What to take in of a file, and how."""

    file: Annotated[Path, typer.Argument(help="an mcp.json", show_default=False)]
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be done")] = False
    only: Annotated[
        list[str] | None, typer.Option(help="only this server of the file; may be repeated")
    ] = None
    update: Annotated[
        bool,
        typer.Option("--update", help="bring connections that are there to what the file says"),
    ] = False
    template: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVER=TEMPLATE",
            help="the operator's template for a command, with its parameters: git=git?repository=x",
        ),
    ] = None


def import_file(session: Session, wish: Wish) -> Answer:
    """Connect every server of an mcp.json, test it and take in its tools. Safe to repeat.

    Commands are started only where whoever runs the server has a template of that name.
    """
    entries = chosen(read(wish.file), wish)
    rows = session.every("connections/", environment=session.environment)
    known = {row["name"]: row for row in rows}
    outcomes = []
    for number, entry in enumerate(entries, start=1):
        with waiting(f"{number}/{len(entries)} {entry.name}: {entry.endpoint or entry.unusable}"):
            outcomes.append(one(session, entry, known, wish))
    commands = {entry.name: entry.command for entry in entries if entry.command}

    def missing(outcome: Outcome) -> str:
        command = commands.get(outcome.name)
        if command is None or NO_TEMPLATE not in outcome.hint:
            return ""
        return (
            f"\n{outcome.name} is a command, which nobody but whoever runs the server may let it"
            f" start. Their file of templates needs:\n\n{proposal(command)}"
        )

    return summary(outcomes, missing)


def one(session: Session, entry: Entry, known: dict[str, Row], wish: Wish) -> Outcome:
    """Take one server in, or say why not."""
    if entry.unusable:
        return Outcome(entry.name, "skipped", reason=entry.unusable, failed=not entry.disabled)
    if not wish.dry_run:
        outcome = bring(session, entry, known, update=wish.update)
        no_template = outcome.failed and NO_TEMPLATE in outcome.hint
        return replace(outcome, state="skipped") if no_template else outcome
    row = known.get(entry.name)
    if row is None:
        return Outcome(entry.name, "would be made", reason=f"to {entry.endpoint}")
    state = "would be changed" if wish.update else "differs" if differs(entry, row) else "kept"
    return Outcome(entry.name, state, row["slug"], row["status"])


def chosen(entries: list[Entry], wish: Wish) -> list[Entry]:
    """Return the servers that are meant, with the templates that were named; raises Misused."""
    names = {entry.name for entry in entries}
    templates = dict(named(word) for word in wish.template or [])
    if strange := sorted({*(wish.only or []), *templates} - names):
        raise Misused(f"the file has no server {strange[0]!r}; it has: {', '.join(sorted(names))}")
    meant = set(wish.only or names)
    return [templated(entry, templates.get(entry.name)) for entry in entries if entry.name in meant]


def named(word: str) -> tuple[str, str]:
    """Take SERVER=TEMPLATE apart; raises Misused."""
    server, equals, template = word.partition("=")
    if not equals or not template:
        raise Misused(f"{word!r}: expected SERVER=TEMPLATE", "--template git=git?repository=shop")
    return server, template


def templated(entry: Entry, template: str | None) -> Entry:
    """Return the entry, started by a template that was named for it."""
    if template is None:
        return entry
    return replace(entry, endpoint=f"stdio://{template}", command=None, unusable="")
