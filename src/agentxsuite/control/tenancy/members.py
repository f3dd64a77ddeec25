"""Who belongs to an organization, and as what: nobody gives or takes a role above their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.problems import Conflict, Forbidden, Invalid
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import (
    Invitation,
    Organization,
    OrganizationMembership,
    Role,
    User,
)
from agentxsuite.control.tenancy.saving import alter, held, save
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.wire import JSON


@contextmanager
def managing(organization_id: UUID, *, new: bool = False) -> Iterator[Organization]:
    """Change who belongs to a live organization, one such change at a time; raises NotFound.

    Two owners who leave at the same moment would otherwise each see the other one stay. `new` is
    as in `changing`.
    """
    with changing(organization_id, new=new):
        yield held(Organization.objects.live(), organization_id)


def granter(actor: Actor, organization: Organization, *roles: Role) -> User:
    """Return the person who acts, if they may give, and so take, each of `roles` there.

    Raises Forbidden, or NotFound to whoever is no member.
    """
    if actor.user is not None:
        own = access.role_in(actor.user, organization)
        if all(access.may_grant(own, role) for role in roles):
            return actor.user
    raise Forbidden("This needs an admin or owner, and never reaches a role above theirs.")


def add_member(
    actor: Actor, organization: Organization, user: User, role: str
) -> OrganizationMembership:
    """Give a person a role; raises Forbidden when the actor's own does not reach that far."""
    with managing(organization.id):
        granted = _role(role)
        granter(actor, organization, granted)
        member = OrganizationMembership(user=user, organization=organization, role=granted)
        return admitted(actor, member)


def admitted(actor: Actor, member: OrganizationMembership, **data: JSON) -> OrganizationMembership:
    """Store a new member, within `managing`; raises Conflict for one who is a member already."""
    save(member)
    _record("member_added", actor, member, {"role": member.role, **data})
    return member


def change_member(
    actor: Actor, member: OrganizationMembership, **changes: Any
) -> OrganizationMembership:
    """Alter a member's `role`, or suspend them by `is_active`; it counts at once.

    Raises Forbidden when the role before or after is above the actor's own, Conflict for the last
    owner, NotFound for whoever has left.
    """
    with managing(member.organization_id) as organization:
        current = held(OrganizationMembership.objects.in_organization(organization), member.id)
        before = Role(current.role)
        differences = alter(current, changes)
        granter(actor, organization, before, Role(current.role))
        if differences:
            save(current)
            _keep_an_owner(organization, before)
            _record("member_changed", actor, current, {"changes": differences})
    return current


def remove_member(actor: Actor, member: OrganizationMembership) -> None:
    """End a membership, one's own or somebody else's; what they were allowed ends at once.

    Raises Forbidden, Conflict for the last owner, or NotFound for whoever has left. An invitation
    that waits for the same address goes too: it would lead back in.
    """
    with managing(member.organization_id) as organization:
        current = held(OrganizationMembership.objects.in_organization(organization), member.id)
        role = Role(current.role)
        if actor.user is None or actor.user.id != current.user_id:
            granter(actor, organization, role)
        current.delete()
        waiting = Invitation.objects.in_organization(organization).filter(email=current.user.email)
        withdrawn, _ = waiting.delete()
        _keep_an_owner(organization, role)
        _record("member_removed", actor, current, {"role": role, "invitations": withdrawn})


def _keep_an_owner(organization: Organization, before: Role) -> None:
    """Raise Conflict if the one who was owner `before` was the last who could act as one."""
    owners = OrganizationMembership.objects.in_organization(organization).filter(
        role=Role.OWNER, is_active=True, user__is_active=True
    )
    if before is Role.OWNER and not owners.exists():
        raise Conflict("An organization keeps at least one owner.", code="last_owner")


def _role(name: str) -> Role:
    try:
        return Role(name.lower())
    except ValueError:
        raise Invalid.at("/role", f"must be one of {', '.join(Role.values)}") from None


def _record(
    event: EventType, actor: Actor, member: OrganizationMembership, data: dict[str, JSON]
) -> None:
    verbs = {"member_added": "add", "member_changed": "change", "member_removed": "remove"}
    record(
        event,
        actor=actor,
        organization=member.organization_id,
        action=f"member.{verbs[event]}",
        target=f"user:{member.user_id}",
        data={"email": member.user.email, **data},
    )
