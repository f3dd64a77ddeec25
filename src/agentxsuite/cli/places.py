"""orgs and envs: organizations and their environments."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from agentxsuite.cli.command import InOrganization, Server, command
from agentxsuite.cli.output import Answer, table
from agentxsuite.cli.session import Session

if TYPE_CHECKING:
    from agentxsuite.cli.client import Api

DEV: Final = "dev"
Name = Annotated[str, typer.Argument(help="its name", show_default=False)]


class Kind(StrEnum):
    """What an environment is for."""

    DEV = "dev"
    STAGE = "stage"
    PROD = "prod"


def add(orgs: typer.Typer, envs: typer.Typer) -> None:
    """Add these commands."""
    command(orgs, "create", Server)(create_organization)
    command(orgs, "list", Server)(list_organizations)
    command(envs, "create", InOrganization)(create_environment)
    command(envs, "list", InOrganization)(list_environments)


def create_organization(
    session: Session,
    name: Name,
    env: Annotated[str, typer.Option(help="the name of its first environment")] = DEV,
    kind: Annotated[Kind, typer.Option("--type", help="what that is for")] = Kind.DEV,
) -> Answer:
    """Found an organization, of which you are the owner, with a first environment."""
    made = session.api.post("auth/me/orgs/", {"name": name})
    environment = found_environment(session.api, made["id"], env, kind)
    said = f"founded {made['name']} with the environment {environment['name']}"
    return Answer({"organization": made, "environment": environment}, (said,))


def list_organizations(session: Session) -> Answer:
    """List your organizations, with your role in each."""
    mine = session.api.every("auth/me/orgs/")
    return table(
        mine, {"name": "name", "role": "role", "id": "id"}, "none: agentxsuite orgs create"
    )


def create_environment(
    session: Session,
    name: Name,
    kind: Annotated[Kind, typer.Option("--type", help="what it is for")] = Kind.DEV,
) -> Answer:
    """Make an environment."""
    made = found_environment(session.api, session.organization, name, kind)
    return Answer(made, (f"made the environment {made['name']} ({made['type']})",))


def list_environments(session: Session) -> Answer:
    """List the environments of an organization."""
    return table(session.every("environments/"), {"name": "name", "type": "type", "id": "id"})


def found_environment(api: "Api", organization: str, name: str, kind: Kind = Kind.DEV) -> Any:
    """Make an environment in an organization."""
    return api.post(f"orgs/{organization}/environments/", {"name": name, "type": kind})
