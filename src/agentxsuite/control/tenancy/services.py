"""Making, changing and deleting organizations and their environments."""

from collections.abc import Mapping

from django.utils import timezone

from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.problems import Forbidden
from agentxsuite.control.tenancy.accounts import create_user
from agentxsuite.control.tenancy.members import add_member
from agentxsuite.control.tenancy.models import (
    Environment,
    EnvironmentType,
    Organization,
    OrganizationMembership,
    Role,
)
from agentxsuite.control.tenancy.saving import alter, held, save
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.wire import JSON

__all__ = [
    "add_member",
    "change_environment",
    "change_organization",
    "create_environment",
    "create_organization",
    "create_user",
    "delete_environment",
    "delete_organization",
]


def create_organization(actor: Actor, name: str) -> Organization:
    """Make an organization whose owner is the actor, a person; raises Invalid or Conflict."""
    if actor.user is None:
        raise Forbidden("Only a person can own an organization.")
    organization = Organization(name=name.strip())
    with changing(organization.id, new=True):
        save(organization)
        save(OrganizationMembership(user=actor.user, organization=organization, role=Role.OWNER))
        data = {"name": organization.name, "owner": str(actor.user.id)}
        _record_organization("organization_created", actor, organization, data)
        return organization


def change_organization(actor: Actor, organization: Organization, **changes: str) -> Organization:
    """Alter an organization's `name`; raises Invalid, Conflict or NotFound."""
    with changing(organization.id):
        current = held(Organization.objects.live(), organization.id)
        differences = alter(current, changes)
        if differences:
            save(current)
            _record_organization("organization_changed", actor, current, {"changes": differences})
    return current


def delete_organization(actor: Actor, organization: Organization) -> None:
    """Delete an organization softly: nothing in it is to be seen or called from then on.

    Raises NotFound when somebody else was first.
    """
    with changing(organization.id):
        current = held(Organization.objects.live(), organization.id)
        current.deleted_at = timezone.now()
        current.save(update_fields=["deleted_at"])
        _record_organization("organization_deleted", actor, current, {"name": current.name})


def create_environment(
    actor: Actor, organization: Organization, name: str, kind: str = EnvironmentType.DEV
) -> Environment:
    """Make an environment of type `kind`: dev, stage or prod; raises Invalid or Conflict."""
    with changing(organization.id):
        environment = save(
            Environment(organization=organization, name=name.strip(), type=kind.lower())
        )
        record(
            "environment_created",
            actor=actor,
            organization=organization,
            environment=environment,
            action="environment.create",
            target=f"environment:{environment.id}",
            data={"name": environment.name, "type": environment.type},
        )
        return environment


def change_environment(actor: Actor, environment: Environment, **changes: str) -> Environment:
    """Alter an environment's `name` or `type`; raises Invalid, Conflict or NotFound."""
    with changing(environment.organization_id):
        current = held(Environment.objects.live(), environment.id)
        differences = alter(current, changes)
        if differences:
            save(current)
            _record_environment("environment_changed", actor, current, {"changes": differences})
    return current


def delete_environment(actor: Actor, environment: Environment) -> None:
    """Delete an environment softly: with it go its connections, agents and their tokens' worth.

    Raises NotFound when somebody else was first.
    """
    with changing(environment.organization_id):
        current = held(Environment.objects.live(), environment.id)
        current.deleted_at = timezone.now()
        current.save(update_fields=["deleted_at"])
        _record_environment("environment_deleted", actor, current, {"name": current.name})


def _record_organization(
    event: EventType, actor: Actor, organization: Organization, data: Mapping[str, JSON]
) -> None:
    record(
        event,
        actor=actor,
        organization=organization,
        action="organization." + event.removeprefix("organization_").removesuffix("d"),
        target=f"organization:{organization.id}",
        data=data,
    )


def _record_environment(
    event: EventType, actor: Actor, environment: Environment, data: dict[str, JSON]
) -> None:
    record(
        event,
        actor=actor,
        organization=environment.organization_id,
        environment=environment,
        action="environment.change" if event == "environment_changed" else "environment.delete",
        target=f"environment:{environment.id}",
        data=data,
    )
