"""All client commands under one name, in groups."""

from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from agentxsuite import __version__
from agentxsuite.cli import (
    agents,
    audit,
    calls,
    connections,
    people,
    places,
    policies,
    runs,
    tools,
)
from agentxsuite.cli.panels import AGENTS, EVIDENCE, PLACES, SERVERS

HELP = """The one governed door in front of your MCP servers.

Status: 0 done; 1 refused or failed; 2 not understood; 3 not logged in; 4 no server there;
130 stopped by you.
"""
STOPPED: Final = 130  # what shells say of a command that Ctrl-C ended


class Commands(TyperGroup):
    """The commands; whoever leaves a question by Ctrl-C or Ctrl-D has stopped one, as anywhere."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed."""
        try:
            return super().invoke(ctx)
        except typer.Abort:
            typer.echo("stopped: nothing was done", err=True)
            raise typer.Exit(STOPPED) from None


def tell_version(wanted: bool) -> None:  # noqa: FBT001 - as typer calls it
    """Print the version and leave."""
    if wanted:
        typer.echo(f"agentxsuite {__version__}")
        raise typer.Exit


def begin(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=tell_version, is_eager=True, help="show the version"),
    ] = False,
) -> None:
    """Take the options that come before any command."""


def built() -> typer.Typer:
    """Make the command line, without the commands that run a server."""
    app = typer.Typer(cls=Commands, help=HELP, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback(help=HELP)(begin)
    people.add(app)
    orgs = group(app, "orgs", "Organizations.", PLACES)
    places.add(orgs, group(app, "envs", "Environments of an organization.", PLACES))
    connections.add(group(app, "connections", "MCP servers, and how to reach them.", SERVERS))
    tools.add(group(app, "tools", "What the servers offer; review of what changed.", SERVERS))
    agents.add(group(app, "agents", "Who calls tools, and with which token.", AGENTS))
    policies.add(group(app, "policies", "Who may do what, and why.", AGENTS))
    calls.add(app)
    runs.add(group(app, "runs", "Calls on record.", EVIDENCE))
    audit.add(group(app, "audit", "Who did what, and what was decided.", EVIDENCE))
    return app


def group(app: typer.Typer, name: str, told: str, panel: str) -> typer.Typer:
    """Add a group of commands."""
    made = typer.Typer(no_args_is_help=True)
    app.add_typer(made, name=name, help=told, rich_help_panel=panel)
    return made
