"""The commands that run a server, on its machine and with its settings.

Django is imported when one of them begins, never before: the other commands start fast.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID

import typer

from agentxsuite.cli.failures import Failure
from agentxsuite.cli.panels import OPERATING


class Plane(StrEnum):
    """What one process answers."""

    ALL = "all"
    DATA = "data"
    CONTROL = "control"


def add(app: typer.Typer) -> None:
    """Add these commands."""
    templates = typer.Typer(no_args_is_help=True)
    for command in (serve, migrate, createuser, resetpassword, createkeys, rotatekeys, retain):
        app.command(rich_help_panel=OPERATING)(command)
    templates.command("add")(add_templates)
    templates.command("list")(list_templates)
    told = "Programs that connections may start; nobody else can say which."
    app.add_typer(templates, name="templates", help=told, rich_help_panel=OPERATING)


def start() -> None:
    """Read the settings; whatever is wrong with them is told in one line."""
    import django  # noqa: PLC0415 - as this module says
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - as above

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentxsuite.project.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        fail(str(error))


def serve(
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="the port to listen on; 0 takes a free one", envvar="PORT")
    ] = 8000,
    plane: Annotated[Plane, typer.Option(help="the calls, the management, or both")] = Plane.ALL,
    workers: Annotated[int, typer.Option(min=1, help="processes behind the one port")] = 1,
) -> None:
    """Answer agents and people until told to stop; a second signal hurries."""
    start()
    from agentxsuite.project import begin, serving, supervisor  # noqa: PLC0415 - as above

    check_workers(workers)
    begin.on_new_database()
    os.environ["PLANE"] = plane
    config = serving.configured(host, port, workers)
    if workers > 1:
        raise typer.Exit(supervisor.Supervisor(config).run())
    serving.Server(config).run()


def migrate() -> None:
    """Bring the database to the shape that this version needs."""
    start()
    from django.core.management import call_command  # noqa: PLC0415 - as above

    call_command("migrate", interactive=False)


Password = Annotated[
    str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="PASSWORD")
]


def createuser(
    email: str,
    password: Password,
    *,
    operator: Annotated[bool, typer.Option(help="may see and set up the installation")] = False,
) -> None:
    """Make an account that can log in; the password is asked for, or read from PASSWORD."""
    start()
    from agentxsuite.control import problems  # noqa: PLC0415 - as above
    from agentxsuite.control.audit.services import Actor  # noqa: PLC0415 - as above
    from agentxsuite.control.tenancy import services  # noqa: PLC0415 - as above

    by_hand = Actor("client:command-line")
    try:
        user = services.create_user(by_hand, email, password, is_operator=operator)
    except problems.Problem as problem:
        fail(" ".join([problem.detail, *(fault["message"] for fault in problem.errors)]))
    else:
        typer.echo(f"created {user.email}{' (operator)' if operator else ''}")


def resetpassword(email: str, password: Password) -> None:
    """Set a new password for an account and log it out everywhere; asked for, or from PASSWORD."""
    start()
    from agentxsuite.control import problems  # noqa: PLC0415 - as above
    from agentxsuite.control.audit.services import Actor  # noqa: PLC0415 - as above
    from agentxsuite.control.tenancy import accounts  # noqa: PLC0415 - as above

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


def createkeys() -> None:
    """Make the key files that are missing; on PostgreSQL nothing else makes them."""
    start()
    from django.conf import settings  # noqa: PLC0415 - as above

    from agentxsuite.control.secretstore.keys import MasterKeys  # noqa: PLC0415 - as above
    from agentxsuite.engines.tokens import KeyRing  # noqa: PLC0415 - as above

    for kind, path in ((KeyRing, settings.TOKEN_KEYS), (MasterKeys, settings.SECRET_KEYS)):
        if isinstance(path, str) or path.exists():  # a word names a variable, which holds them
            typer.echo(f"kept {path}")
        else:
            kind.create(path)
            typer.echo(f"created {path}: keep a copy in a safe place")


def rotatekeys(
    *,
    data: Annotated[
        bool, typer.Option("--data", help="also seal every value with a new data key")
    ] = False,
    organization: Annotated[
        UUID | None, typer.Option(help="only this one; else all of them", show_default=False)
    ] = None,
) -> None:
    """Wrap every data key with the first master key of SECRET_KEYS, while servers run.

    Safe to repeat, and to interrupt. Status 1 tells that something cannot be opened.
    """
    start()
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - as above
    from django.db import DatabaseError  # noqa: PLC0415 - as above

    from agentxsuite.control.secretstore.keys import KeysUnavailable  # noqa: PLC0415 - as above
    from agentxsuite.project import rotating  # noqa: PLC0415 - as above

    wrong = False
    try:
        for text, is_wrong in rotating.rotation(organization, data=data):
            typer.echo(text, err=is_wrong)
            wrong |= is_wrong
    except (ImproperlyConfigured, KeysUnavailable) as error:
        fail(str(error))
    except DatabaseError as error:
        fail(f"stopped; run it again to go on: {error}".strip())
    raise typer.Exit(int(wrong))


def retain(
    audit_days: Annotated[int, typer.Option(min=1, help="how long the audit is kept")],
    runs_days: Annotated[int, typer.Option(min=1, help="how long runs and their steps are kept")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="let it go, not only say what would")] = False,
) -> None:
    """Let go of evidence that is older than so many days; what goes is written into the audit."""
    start()
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - as above
    from django.db import DatabaseError  # noqa: PLC0415 - as above

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


def add_templates(
    file: Annotated[Path, typer.Argument(help="an mcp.json", show_default=False)],
    only: Annotated[
        list[str] | None, typer.Option(help="only this server of the file; may be repeated")
    ] = None,
) -> None:
    """Let connections start the commands of an mcp.json, as they stand there.

    They run as the server does, on its machine: read them first. A server that is running already
    has to be started again to know them.
    """
    start()
    from agentxsuite.project import templates  # noqa: PLC0415 - as above

    try:
        for line in templates.add(file, set(only or [])):
            typer.echo(line)
    except (Failure, ValueError, OSError) as error:
        fail(str(error))


def list_templates() -> None:
    """List the programs that connections may start."""
    start()
    from agentxsuite.project import templates  # noqa: PLC0415 - as above

    try:
        for line in templates.listed():
            typer.echo(line)
    except (ValueError, OSError) as error:
        fail(str(error))


def fail(problem: str) -> NoReturn:
    """Tell one line and stop with status 2."""
    typer.echo(problem, err=True)
    raise typer.Exit(2)
