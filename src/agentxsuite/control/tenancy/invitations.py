"""Letting somebody in by a code that they get from whoever invites them."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.problems import Conflict, Fault, Forbidden, Invalid, NotFound
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.members import admitted, granter, managing
from agentxsuite.control.tenancy.models import (
    Invitation,
    Organization,
    OrganizationMembership,
    Role,
    User,
)
from agentxsuite.control.tenancy.saving import held, save
from agentxsuite.control.tenancy.scope import changing

SHORTEST, USUAL, LONGEST = 60, 7 * 86400, 30 * 86400  # seconds that an invitation stands
CODE_BYTES: Final = 32


class InvitationInvalid(Invalid):
    """The code lets nobody in, or not this person, or no more; which of them stays unsaid."""

    def __init__(self) -> None:
        told = "is no invitation for this address, or not any more"
        fault: Fault = {"path": "/invitation", "message": told}
        super().__init__(f"/invitation: {told}", [fault], code="invitation_invalid")


class Invited(NamedTuple):
    """An invitation and its code, shown this once."""

    row: Invitation
    code: str


def invite(
    actor: Actor, organization: Organization, email: str, role: str, ttl_seconds: int = USUAL
) -> Invited:
    """Invite whoever has this address, for so many seconds.

    Raises Forbidden for a role above the actor's own, Conflict for a member, or for somebody whose
    invitation still stands.
    """
    email, code = email.strip().lower(), secrets.token_urlsafe(CODE_BYTES)
    with managing(organization.id):
        giver = granter(actor, organization, Role(role))
        here = OrganizationMembership.objects.in_organization(organization)
        if here.filter(user__email=email).exists():
            raise Conflict("Whoever has this address is a member already.")
        waiting = Invitation.objects.in_organization(organization).filter(email=email)
        waiting.filter(expires_at__lte=timezone.now()).delete()
        row = save(
            Invitation(
                organization=organization,
                email=email,
                role=role,
                digest=digest_of(code),
                expires_at=timezone.now() + timedelta(seconds=ttl_seconds),
                invited_by=giver,
            )
        )
        _record("invitation_created", actor, row)
    return Invited(row, code)


def withdraw(actor: Actor, invitation: Invitation) -> None:
    """Make an invitation's code worthless; raises Forbidden for a role above the actor's own."""
    with managing(invitation.organization_id) as organization:
        current = held(Invitation.objects.in_organization(organization), invitation.id)
        granter(actor, organization, Role(current.role))
        _record("invitation_withdrawn", actor, current)
        current.delete()


def redeem(actor: Actor, code: str) -> OrganizationMembership:
    """Make the actor, a person, a member as the invitation behind `code` says; it is used up.

    Raises InvitationInvalid, also where whoever invited could not give that role any more, or
    Conflict for a member.
    """
    organization_id = _inviting(code)
    if actor.user is None:
        raise Forbidden("Only a person can be a member.")
    if organization_id is None:
        raise InvitationInvalid
    try:
        with managing(organization_id, new=True) as organization:
            row = _standing(organization_id, code, actor.user.email)
            member = OrganizationMembership(user=actor.user, organization=organization)
            member.role = row.role
            by = {"invitation": str(row.id), "invited_by": str(row.invited_by_id)}
            row.delete()
            return admitted(actor, member, **by)
    except NotFound:  # the organization has been deleted
        raise InvitationInvalid from None


def check_invitation(code: str, email: str) -> None:
    """Raise InvitationInvalid unless whoever has this address could redeem `code`."""
    organization_id = _inviting(code)
    if organization_id is None:
        raise InvitationInvalid
    with changing(organization_id, new=True):
        _standing(organization_id, code, email)


def digest_of(code: str) -> str:
    """Return what is kept of a code; it is random enough not to need a slow hash."""
    return hashlib.sha256(code.encode()).hexdigest()


def _standing(organization_id: UUID, code: str, email: str) -> Invitation:
    """The invitation, if it still is what its giver may give; raises InvitationInvalid."""
    row = Invitation.objects.filter(
        organization=organization_id,
        digest=digest_of(code),
        email=email,
        expires_at__gt=timezone.now(),
    ).first()
    if row is None or not _may_still_grant(row.invited_by, row):
        raise InvitationInvalid
    return row


def _may_still_grant(giver: User, row: Invitation) -> bool:
    standing = access.memberships(giver).filter(organization=row.organization_id).first()
    return (
        standing is not None
        and giver.is_active
        and access.may_grant(Role(standing.role), Role(row.role))
    )


def _inviting(code: str) -> UUID | None:
    """The organization that an invitation is from, for whoever knows its code.

    They are no member yet, so on PostgreSQL they could not see it: a function of the owner's tells.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT agentxsuite_inviting(%s)", [digest_of(code)])
            found: UUID | None = cursor.fetchone()[0]
            return found
    rows = Invitation.objects.filter(digest=digest_of(code))
    return rows.values_list("organization_id", flat=True).first()


def _record(event: EventType, actor: Actor, row: Invitation) -> None:
    verbs = {"invitation_created": "create", "invitation_withdrawn": "withdraw"}
    record(
        event,
        actor=actor,
        organization=row.organization_id,
        action=f"invitation.{verbs[event]}",
        target=f"invitation:{row.id}",
        data={"email": row.email, "role": row.role, "expires_at": row.expires_at.isoformat()},
    )
