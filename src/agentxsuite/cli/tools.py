"""tools: what connected servers offer, and what changed about it."""

import sys
from typing import Annotated, Any

import typer

from agentxsuite.cli import names
from agentxsuite.cli.command import command
from agentxsuite.cli.failures import Misused
from agentxsuite.cli.output import Answer, Columns, inline, note, table, when
from agentxsuite.cli.rows import Row
from agentxsuite.cli.session import Session

Tool = Annotated[str, typer.Argument(help="CONNECTION/TOOL, or its id", show_default=False)]
WAITING = "pending_review"
SIDES = (("-", "removed"), ("+", "added"))


def add(group: typer.Typer) -> None:
    """Add these commands."""
    command(group, "list")(list_tools)
    command(group, "diff")(diff)
    command(group, "approve")(approve)


def list_tools(
    session: Session,
    name: Annotated[str | None, typer.Argument(help="only these: a name, or CONNECTION/*")] = None,
    status: Annotated[
        str | None, typer.Option(help="only synced, pending_review or stale ones")
    ] = None,
) -> Answer:
    """List tools."""
    found = session.every("tools/", environment=session.narrowed, name=name, sync_status=status)
    columns: Columns = {
        "name": "name",
        "version": "version",
        "status": "sync_status",
        "enabled": "enabled",
        "synced": lambda row: when(row["synced_at"]),
        "description": lambda row: first_line(row["description"]),
    }
    return table(found, columns, "none yet: agentxsuite connections import mcp.json")


def diff(session: Session, tool: Tool) -> Answer:
    """Show what a tool's server says of it now that the approved definition does not."""
    found = looked_at(session, names.tool(session, tool))
    return Answer(found, tuple(told(found)))


def approve(
    session: Session,
    tools: Annotated[
        list[str] | None, typer.Argument(help="CONNECTION/TOOL or ids", show_default=False)
    ] = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="every tool that waits")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="do not ask; the differences were read")
    ] = False,
) -> Answer:
    """Approve changed definitions, after showing what changed; the tools can be called again."""
    if bool(tools) == all_:
        raise Misused("name tools, or --all")
    found = [looked_at(session, row) for row in meant(session, tools or [])]
    for each in found:
        for line in told(each):
            note(line)
    waiting = [each for each in found if each["pending"]]
    if not waiting:
        return Answer([], ("nothing waits for approval",))
    if not yes:
        confirm(len(waiting))
    body = {
        "tools": [
            {"tool": each["tool"], "definition": each["pending"]["number"]} for each in waiting
        ]
    }
    return approved(session.post("tools/approve/", body)["results"], waiting)


def meant(session: Session, tools: list[str]) -> list[Row]:
    """Return the tools that were named, or all that wait."""
    if tools:
        return [names.tool(session, each) for each in tools]
    return session.every("tools/", environment=session.environment, sync_status=WAITING)


def looked_at(session: Session, tool: Row) -> Any:
    """Return the difference between what is approved and what waits."""
    return session.get(f"tools/{tool['id']}/diff/")


def confirm(many: int) -> None:
    """Ask a person whether they mean it; raises Misused where there is none."""
    if not sys.stdin.isatty():
        raise Misused("nobody is there to be asked", "--yes, once the differences were read")
    typer.confirm(f"Approve {many} definitions?", abort=True, err=True)


def approved(results: list[Row], waiting: list[Row]) -> Answer:
    """Tell which approvals went through; one that did not is a failure."""
    called = {each["tool"]: each["name"] for each in waiting}
    columns: Columns = {
        "tool": lambda row: called.get(row["tool"], row["tool"]),
        "approved": "approved",
        "reason": "detail",
    }
    answer = table(results, columns)
    return Answer(results, answer.shown, failed=not all(each["approved"] for each in results))


def told(found: Row) -> list[str]:
    """Return a difference in lines for a reviewer."""
    if not found["pending"]:
        return [f"{found['name']}: nothing waits for approval"]
    pending, since = found["pending"], found["approved"]
    against = f"definition {since['number']}" if since else "nothing approved"
    lines = [f"{found['name']}: definition {pending['number']} against {against}"]
    for change in found["changes"]:
        lines += [f"  {change['kind']} {change['path'] or '/'}", *sides(change)]
    return lines + [f"  look at {each['path']}: {each['detail']}" for each in found["findings"]]


def sides(change: Row) -> list[str]:
    """Return what was and what is, as far as there is either."""
    if passage := change["text"]:
        around = passage["lead"], passage["tail"]
        return [
            f"    {sign} {around[0]}[{passage[side]}]{around[1]}"
            for sign, side in SIDES
            if passage[side]
        ]
    before, after = change["kind"] != "added", change["kind"] != "removed"
    return [
        *([f"    - {inline(change['before'])}"] if before else []),
        *([f"    + {inline(change['after'])}"] if after else []),
    ]


def first_line(text: str) -> str:
    """Return the beginning of a description."""
    lines = text.strip().splitlines() or [""]
    return lines[0][:80]
