"""login, logout, whoami, use: who acts, and where unless told."""

import time
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from agentxsuite.cli import names, passwords
from agentxsuite.cli.command import InEnvironment, Server, command
from agentxsuite.cli.failures import Failure, Misused, Unreachable
from agentxsuite.cli.logins import Login, is_here, is_open
from agentxsuite.cli.output import Answer, card, note, when
from agentxsuite.cli.panels import PEOPLE
from agentxsuite.cli.places import DEV, found_environment
from agentxsuite.cli.session import Session

STARTING: Final = 30.0  # seconds that a server on this machine may need to start
GLANCE: Final = 0.2  # seconds between two looks at whether it does


@dataclass(frozen=True, slots=True)
class Entry:
    """How somebody comes in."""

    email: Annotated[str, typer.Argument(help="the account's address", show_default=False)]
    register: Annotated[
        bool, typer.Option("--register", help="make the account first, where the server allows it")
    ] = False
    org: Annotated[
        str | None,
        typer.Option(
            help="act in this organization from now on; with --register, found it with an"
            f" environment {DEV!r}"
        ),
    ] = None
    invitation: Annotated[
        bool, typer.Option("--invitation", help="join by a code, which is asked for too")
    ] = False
    insecure: Annotated[
        bool, typer.Option("--insecure", help="send the password over plain http to a far server")
    ] = False
    wait: Annotated[
        float, typer.Option(min=0, help="seconds that a server on this machine has to start")
    ] = STARTING


def add(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "login", Server, PEOPLE)(login)
    command(app, "logout", Server, PEOPLE)(logout)
    command(app, "whoami", InEnvironment, PEOPLE)(whoami)
    command(app, "use", Server, PEOPLE)(use)


def login(session: Session, entry: Entry) -> Answer:
    """Log in to a server, and remember it; the password is asked for, or piped in."""
    if is_open(session.server) and not entry.insecure:
        hint = "use https, or --insecure where nobody can listen"
        raise Misused("the password would cross the network for everybody to read", hint)
    body = {
        "email": entry.email,
        "password": passwords.ask("Password", twice=entry.register),
        **({"invitation": passwords.ask("Invitation code")} if entry.invitation else {}),
    }
    path = "auth/register/" if entry.register or entry.invitation else "auth/login/"
    made = entered(session, path, body, entry.wait)
    known = Login(session.server, made["user"]["email"], made["token"], made["expiry"])
    session.logins.keep(known)
    place = settle(Session(session.server), entry) if entry.org else None
    lines = (
        f"logged in to {session.server} as {known.email} until {when(known.expiry)}",
        *([place] if place else []),
    )
    data = {"server": known.server, "email": known.email, "expiry": known.expiry}
    return Answer(data, lines)


def entered(session: Session, path: str, body: dict[str, Any], wait: float) -> Any:
    """Come in; a server on this machine that is just starting is waited for."""
    api, until, told = session.asking(), time.monotonic() + wait, False
    while True:
        try:
            return api.post(path, body)
        except Unreachable as failure:
            late = time.monotonic() > until
            if failure.code != "unreachable" or not is_here(session.server) or late:
                raise
        if not told:
            note(f"waiting for {session.server} to start")
            told = True
        time.sleep(GLANCE)


def settle(session: Session, entry: Entry) -> str:
    """Make the organization that somebody begins with, or choose it; where commands act now."""
    with closing(session):
        return _settled(session, entry)


def _settled(session: Session, entry: Entry) -> str:
    if not entry.register:
        place = names.pick(session.me["organizations"], entry.org or "", "organization", "name")
        session.logins.act_in(session.server, str(place["id"]), "")
        return f"acting in {place['name']}"
    place = session.api.post("auth/me/orgs/", {"name": entry.org})
    environment = found_environment(session.api, place["id"], DEV)
    session.logins.act_in(session.server, place["id"], environment["id"])
    return f"founded {place['name']}, with the environment {environment['name']}; acting there"


def logout(session: Session) -> Answer:
    """Give the token back, and forget it."""
    known = session.login
    told = "logged out of"
    try:
        session.api.post("auth/logout/")
    except Failure as failure:
        told = f"forgot the login, which could not be given back ({failure.detail}), to"
    session.logins.forget(session.server)
    return Answer({"server": known.server, "email": known.email}, (f"{told} {known.server}",))


def whoami(session: Session) -> Answer:
    """Show who is logged in where, and where commands act unless told."""
    me = session.me
    facts = {
        "server": session.server,
        "email": me["email"],
        "operator": me["is_operator"],
        "login until": when(session.login.expiry),
    }
    roles = {f"in {each['name']}": each["role"] for each in me["organizations"]}
    shown = {**facts, **roles, **chosen(session)}
    data = {
        "server": session.server,
        "expiry": session.login.expiry,
        "chosen": {
            "organization": session.login.organization or None,
            "environment": session.login.environment or None,
        },
        **me,
    }
    return Answer(data, (card(shown, shown),))


def chosen(session: Session) -> dict[str, str]:
    """Where commands act unless told, in words."""
    known = session.login
    if not known.organization:
        return {}
    home = next(
        (each for each in session.me["organizations"] if each["id"] == known.organization), None
    )
    if home is None:
        return {"acting in": f"{known.organization} (not a member any more)"}
    if not known.environment:
        return {"acting in": home["name"]}
    environment = session.get(f"environments/{known.environment}/")
    return {"acting in": f"{home['name']}/{environment['name']}"}


def use(
    session: Session,
    place: Annotated[str, typer.Argument(metavar="ORG[/ENV]", help="names or ids")],
) -> Answer:
    """Act in this organization, and environment, from now on."""
    organization, environment = located(session, place)
    inside = {"organization": organization, "environment": environment}
    session.logins.act_in(
        session.server, organization["id"], environment["id"] if environment else ""
    )
    there = organization["name"] + (f"/{environment['name']}" if environment else "")
    return Answer(inside, (f"acting in {there}",))


def located(session: Session, place: str) -> tuple[Any, Any]:
    """Return the organization and the environment that a text means; names may hold a slash."""
    mine = session.me["organizations"]
    known = {each["name"] for each in mine}
    home, _, environment = (place, "", "") if place in known else place.rpartition("/")
    organization = names.pick(mine, home or environment, "organization", "name")
    if not home or not environment:
        return organization, None
    there = session.api.every(f"orgs/{organization['id']}/environments/")
    return organization, names.pick(there, environment, "environment", "name")
