"""Making people, organizations, environments and memberships."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import (
    Environment,
    EnvironmentType,
    Organization,
    OrganizationMembership,
    Role,
    User,
)
from agentxsuite.control.tenancy.problems import Forbidden, Invalid
from agentxsuite.control.tenancy.saving import alter, held, save
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.wire import JSON


@transaction.atomic
def create_user(
    actor: Actor,
    email: str,
    password: str | None,
    *,
    first_name: str = "",
    last_name: str = "",
    is_operator: bool = False,
) -> User:
    """Make an account; without a password nobody can log in to it until one is set.

    Raises Invalid for a weak password, Conflict for an address that is taken.
    """
    user = User(
        email=email.strip().lower(),
        first_name=first_name,
        last_name=last_name,
        is_operator=is_operator,
    )
    if password is not None:
        check_password_strength(password, user)
    user.set_password(password)
    save(user)
    record(
        "user_created",
        actor=actor,
        organization=None,
        action="user.create",
        target=f"user:{user.id}",
        data={"email": user.email, "is_operator": is_operator},
    )
    return user


def check_password_strength(password: str, user: User) -> None:
    """Raise Invalid with every reason why the password is too easy."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        faults = [{"path": "/password", "message": reason} for reason in error.messages]
        raise Invalid(error.messages[0], faults) from None  # type: ignore[arg-type]  # they are Faults


def create_organization(actor: Actor, name: str) -> Organization:
    """Make an organization whose owner is the actor, a person; raises Invalid or Conflict."""
    if actor.user is None:
        raise Forbidden("Only a person can own an organization.")
    organization = Organization(name=name.strip())
    with changing(organization.id, new=True):
        save(organization)
        save(OrganizationMembership(user=actor.user, organization=organization, role=Role.OWNER))
        record(
            "organization_created",
            actor=actor,
            organization=organization,
            action="organization.create",
            target=f"organization:{organization.id}",
            data={"name": organization.name, "owner": str(actor.user.id)},
        )
        return organization


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


def add_member(
    actor: Actor, organization: Organization, user: User, role: str
) -> OrganizationMembership:
    """Give a person a role; raises Forbidden when the actor's own does not reach that far."""
    with changing(organization.id):
        granted = _role(role)
        if actor.user is None or not access.may_grant(
            access.role_in(actor.user, organization), granted
        ):
            raise Forbidden(
                "Only an admin or owner adds members, and never with a role above theirs."
            )
        membership = save(
            OrganizationMembership(user=user, organization=organization, role=granted)
        )
        record(
            "member_added",
            actor=actor,
            organization=organization,
            action="member.add",
            target=f"user:{user.id}",
            data={"email": user.email, "role": granted.value},
        )
        return membership


def _role(name: str) -> Role:
    try:
        return Role(name.lower())
    except ValueError:
        raise Invalid.at("/role", f"must be one of {', '.join(Role.values)}") from None


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
