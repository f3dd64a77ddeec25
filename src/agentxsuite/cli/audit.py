"""audit: who did what, when, and what was decided."""

from dataclasses import dataclass
from typing import Annotated

import typer

from agentxsuite.cli.command import InOrganization, command
from agentxsuite.cli.moments import Moment, moment
from agentxsuite.cli.output import Answer, Columns, table, when
from agentxsuite.cli.runs import MANY, Limit
from agentxsuite.cli.session import Session


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events."""

    subject: Annotated[
        str | None, typer.Option(help="agent:<id>, user:<id>; or a beginning, as agent:*")
    ] = None
    action: Annotated[str | None, typer.Option(help="tool.invoke; or a beginning")] = None
    target: Annotated[str | None, typer.Option(help="tool:pdf/read; or a beginning")] = None
    decision: Annotated[str | None, typer.Option(help="allow or deny")] = None
    since: Moment = None
    until: Moment = None
    limit: Limit = MANY


def add(group: typer.Typer) -> None:
    """Add this command."""
    command(group, "list", InOrganization)(list_events)


def list_events(session: Session, wanted: Wanted) -> Answer:
    """List what happened in an organization, newest first."""
    found = session.every(
        "audit/",
        wanted.limit,
        subject=wanted.subject,
        action=wanted.action,
        target=wanted.target,
        decision=wanted.decision,
        ts_from=moment(wanted.since),
        ts_to=moment(wanted.until),
    )
    columns: Columns = {
        "time": lambda row: when(row["ts"]),
        "event": "event_type",
        "subject": "subject",
        "action": "action",
        "target": "target",
        "decision": "decision",
        "rule": "rule_name",
    }
    return table(found, columns)
