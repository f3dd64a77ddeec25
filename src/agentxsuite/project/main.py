"""The command `agentxsuite`: serve, migrate, createuser, resetpassword, createkeys, retain."""

import os
import sys
from enum import StrEnum
from typing import Annotated

import django
import typer
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError

app = typer.Typer(help="The one governed door in front of your MCP servers.", no_args_is_help=True)


class Plane(StrEnum):
    """What one process answers."""

    ALL = "all"
    DATA = "data"
    CONTROL = "control"


@app.callback()
def start() -> None:
    """Read the settings; whatever is wrong with them is told in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentxsuite.project.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        fail(str(error))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port to listen on; 0 takes a free one")] = 8000,
    plane: Annotated[Plane, typer.Option(help="the calls, the management, or both")] = Plane.ALL,
    workers: Annotated[int, typer.Option(min=1, help="processes behind the one port")] = 1,
) -> None:
    """Answer agents and people until told to stop; a second signal hurries."""
    from agentxsuite.project import serving, supervisor  # noqa: PLC0415 - other commands start faster

    check_workers(workers)
    os.environ["PLANE"] = plane
    config = serving.configured(host, port, workers)
    if workers > 1:
        raise typer.Exit(supervisor.Supervisor(config).run())
    serving.Server(config).run()


@app.command()
def migrate() -> None:
    """Bring the database to the shape that this version needs."""
    call_command("migrate", interactive=False)


Password = Annotated[
    str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="PASSWORD")
]


@app.command()
def createuser(
    email: str,
    password: Password,
    *,
    operator: Annotated[bool, typer.Option(help="may see and set up the installation")] = False,
) -> None:
    """Make an account that can log in; the password is asked for, or read from PASSWORD."""
    # Models exist once Django is set up, which a command line does after it has read its words.
    from agentxsuite.control.audit.services import Actor  # noqa: PLC0415 - as above
    from agentxsuite.control.tenancy import problems, services  # noqa: PLC0415 - as above

    by_hand = Actor("client:command-line")
    try:
        user = services.create_user(by_hand, email, password, is_operator=operator)
    except problems.Problem as problem:
        fail(" ".join([problem.detail, *(fault["message"] for fault in problem.errors)]))
    else:
        typer.echo(f"created {user.email}{' (operator)' if operator else ''}")


@app.command()
def resetpassword(email: str, password: Password) -> None:
    """Set a new password for an account and log it out everywhere; asked for, or from PASSWORD."""
    from agentxsuite.control.audit.services import Actor  # noqa: PLC0415 - as above
    from agentxsuite.control.tenancy import accounts, problems  # noqa: PLC0415 - as above

    try:
        user = accounts.reset_password(Actor("client:command-line"), email, password)
    except problems.Problem as problem:
        fail(" ".join([problem.detail, *(fault["message"] for fault in problem.errors)]))
    else:
        typer.echo(f"{user.email} has a new password and is logged out everywhere")


def check_workers(workers: int) -> None:
    """Several processes need a database and limits that they can share, or nothing starts."""
    from django.conf import settings  # noqa: PLC0415 - set up by then, not before

    from agentxsuite.project.environment import refusal  # noqa: PLC0415 - as above

    if workers > 1 and settings.EMBEDDED:
        fail(str(refusal("SQLite serves one process; for --workers set DATABASE_URL.")))
    if workers > 1 and not settings.REDIS_URL:
        fail(str(refusal("workers share their rate limits in Redis; for --workers set REDIS_URL.")))


@app.command()
def createkeys() -> None:
    """Make the key files that are missing; on PostgreSQL nothing else makes them."""
    from django.conf import settings  # noqa: PLC0415 - as above

    from agentxsuite.control.secretstore.keys import MasterKeys  # noqa: PLC0415 - as above
    from agentxsuite.engines.tokens import KeyRing  # noqa: PLC0415 - as above

    for kind, path in ((KeyRing, settings.TOKEN_KEYS), (MasterKeys, settings.SECRET_KEYS)):
        if isinstance(path, str) or path.exists():  # a word names a variable, which holds them
            typer.echo(f"kept {path}")
        else:
            kind.create(path)
            typer.echo(f"created {path}: keep a copy in a safe place")


@app.command()
def retain(
    audit_days: Annotated[int, typer.Option(min=1, help="how long the audit is kept")],
    runs_days: Annotated[int, typer.Option(min=1, help="how long runs and their steps are kept")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="let it go, not only say what would")] = False,
) -> None:
    """Let go of evidence that is older than so many days; what goes is written into the audit."""
    from agentxsuite.control.audit.services import Actor  # noqa: PLC0415 - as above
    from agentxsuite.control.storage import retention, roles  # noqa: PLC0415 - as above

    by_hand = Actor("client:command-line")
    try:
        with roles.as_owner():
            for past in retention.old_evidence(audit_days, runs_days):
                if yes:
                    retention.drop(by_hand, past)
                verb = "let go of" if yes else "would let go of"
                typer.echo(f"{verb} {past.table}: {past.rows} rows, until {past.until:%Y-%m-%d}")
    except ImproperlyConfigured as error:
        fail(str(error))
    except DatabaseError as error:
        fail(f"stopped: {error}".strip())


def fail(problem: str) -> None:
    """Tell one line and stop with status 2."""
    typer.echo(problem, err=True)
    raise typer.Exit(2)


def main() -> None:
    """Run the command line."""
    sys.exit(app())
