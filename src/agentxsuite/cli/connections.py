"""connections: the MCP servers that an environment is connected to."""

from dataclasses import dataclass
from typing import Annotated, Final

import typer

from agentxsuite.cli import names, passwords
from agentxsuite.cli.bringing import Outcome, asked, bring, summary
from agentxsuite.cli.command import command
from agentxsuite.cli.failures import Misused
from agentxsuite.cli.importing import import_file
from agentxsuite.cli.mcp_file import Credential, Entry
from agentxsuite.cli.output import Answer, Columns, card, table, waiting, when
from agentxsuite.cli.session import Session

NONE: Final = "none yet: agentxsuite connections import mcp.json"
Connection = Annotated[str, typer.Argument(help="its slug, name or id", show_default=False)]


@dataclass(frozen=True, slots=True)
class Wish:
    """A server, and how it is logged in to; the secret is asked for, or piped in."""

    name: Annotated[str, typer.Argument(help="a name for it", show_default=False)]
    endpoint: Annotated[
        str,
        typer.Argument(help="https://host/mcp, or stdio://TEMPLATE?name=value", show_default=False),
    ]
    bearer: Annotated[bool, typer.Option("--bearer", help="with a token, which is asked for")] = (
        False
    )
    basic: Annotated[
        str | None, typer.Option(metavar="USERNAME", help="with a password, which is asked for")
    ] = None
    header: Annotated[
        str | None, typer.Option(metavar="NAME", help="with a header, whose value is asked for")
    ] = None


def add(group: typer.Typer) -> None:
    """Add these commands."""
    command(group, "import")(import_file)
    command(group, "add")(add_connection)
    command(group, "list")(list_connections)
    command(group, "test")(test)
    command(group, "sync")(sync)


def add_connection(session: Session, wish: Wish) -> Answer:
    """Connect an MCP server, test it and take in its tools."""
    entry = Entry(wish.name, wish.endpoint, credential(wish))
    with waiting(f"{entry.name}: {entry.endpoint}"):
        outcome = bring(session, entry, {}, update=False)
    return summary([outcome])


def credential(wish: Wish) -> Credential:
    """Ask for what the server is logged in to with; raises Misused."""
    ways = [
        *([("bearer", {}, "Token")] if wish.bearer else []),
        *([("basic", {"username": wish.basic}, "Password")] if wish.basic else []),
        *([("header", {"header": wish.header}, f"Value of {wish.header}")] if wish.header else []),
    ]
    if not ways:
        return Credential()
    if len(ways) > 1:
        raise Misused("choose one of --bearer, --basic and --header")
    method, config, prompt = ways[0]
    return Credential(method, config, passwords.ask(prompt))


def list_connections(session: Session) -> Answer:
    """List connections."""
    columns: Columns = {
        "connection": "slug",
        "name": "name",
        "endpoint": "endpoint",
        "login": "auth_method",
        "status": "status",
        "synced": lambda row: when(row["synced_at"]),
        "reason": "status_reason",
    }
    found = session.every("connections/", environment=session.narrowed)
    return table(found, columns, NONE)


def test(session: Session, connection: Connection) -> Answer:
    """Ask a server whether it answers."""
    row = names.connection(session, connection)
    with waiting(f"{row['slug']}: {row['endpoint']}"):
        probe = session.api.post(f"connections/{row['id']}/test/")
    shown = card(probe, ("status", "code", "reason", "duration_ms"))
    return Answer(probe, (shown,), failed=probe["status"] != "ok")


def sync(
    session: Session,
    connections: Annotated[
        list[str] | None, typer.Argument(help="slugs, names or ids; all when left out")
    ] = None,
) -> Answer:
    """Ask servers for their tools: what is new is taken in, what changed waits for approval."""
    if connections:
        rows = [names.connection(session, each) for each in connections]
    else:
        rows = session.every("connections/", environment=session.environment)
    if not rows:
        return Answer([], (NONE,))
    outcomes = []
    for number, row in enumerate(rows, start=1):
        with waiting(f"{number}/{len(rows)} {row['slug']}: {row['endpoint']}"):
            outcomes.append(asked(session, row, Outcome(row["name"], "synced", row["slug"])))
    return summary(outcomes)
