"""runs: calls, as they are on record."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from agentxsuite.cli import names
from agentxsuite.cli.command import InEnvironment, InOrganization, command
from agentxsuite.cli.failures import Misused
from agentxsuite.cli.moments import Moment, moment
from agentxsuite.cli.output import Answer, Columns, card, pretty, table, when
from agentxsuite.cli.session import Session

MANY: Final = 50
Limit = Annotated[int, typer.Option(min=1, help="how many at most, newest first")]
Run = Annotated[str, typer.Argument(help="its id", show_default=False)]
FACTS: Final = (
    *("id", "status", "outcome_code", "error_text", "agent_name", "tool_name", "tool_version"),
    *("subject", "door", "decision_id", "started_at", "ended_at"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs."""

    agent: Annotated[str | None, typer.Option(help="an agent's name or id")] = None
    tool: Annotated[str | None, typer.Option(help="a tool's name or id")] = None
    status: Annotated[str | None, typer.Option(help="pending, running, succeeded or failed")] = None
    outcome: Annotated[str | None, typer.Option(help="denied, timeout, tool_error, ...")] = None
    since: Moment = None
    until: Moment = None
    limit: Limit = MANY


def add(group: typer.Typer) -> None:
    """Add these commands."""
    command(group, "list", InEnvironment)(list_runs)
    command(group, "show", InOrganization)(show)
    command(group, "cancel", InOrganization)(cancel)


def list_runs(session: Session, wanted: Wanted) -> Answer:
    """List calls, newest first."""
    found = session.every(
        "runs/",
        wanted.limit,
        environment=session.narrowed,
        agent=wanted.agent,
        tool=wanted.tool,
        status=wanted.status,
        outcome_code=wanted.outcome,
        created_from=moment(wanted.since),
        created_to=moment(wanted.until),
    )
    columns: Columns = {
        "time": lambda row: when(row["created_at"]),
        "status": "status",
        "outcome": "outcome_code",
        "agent": "agent_name",
        "tool": "tool_name",
        "run": "id",
    }
    return table(found, columns)


def show(session: Session, run: Run) -> Answer:
    """Show one call: what went in, what came out, and every step."""
    found = session.get(f"runs/{known(run)}/")
    steps = session.every(f"runs/{run}/steps/")
    shown: list[Any] = [card(found, FACTS)]
    for name in ("input_json", "output_json"):
        shown += ["", f"{name}: {pretty(found[name])}"]
    columns: Columns = {
        "time": lambda row: when(row["timestamp"]),
        "step": "step_type",
        "what happened": "message",
    }
    shown += ["", *table(reversed(steps), columns, "no steps").shown]
    return Answer({**found, "steps": steps}, tuple(shown))


def cancel(session: Session, run: Run) -> Answer:
    """Ask for a running call to be stopped; it ends within about a second."""
    found = session.post(f"runs/{known(run)}/cancel/")
    return Answer(found, (f"asked for: {found['tool_name']} by {found['agent_name']} will end",))


def known(run: str) -> str:
    """Return a run's id; raises Misused for anything else, which could name another path."""
    if not names.is_id(run):
        raise Misused(f"{run!r} is no id of a run", "agentxsuite runs list")
    return run
