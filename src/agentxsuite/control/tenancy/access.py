"""The one tenant door: every query of the REST API starts from what the caller may see.

What belongs to an organization that the caller is no member of does not exist for the caller: it
raises the same NotFound as what was never there. Only a member learns that a role is missing.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from agentxsuite.control.problems import Forbidden, NotFound
from agentxsuite.control.tenancy.evidence import Evidence
from agentxsuite.control.tenancy.models import (
    Organization,
    OrganizationMembership,
    Role,
    User,
)
from agentxsuite.control.tenancy.scope import admit, open_scope

Row = TypeVar("Row", bound=Model)

_LADDER: Final = (Role.OWNER, Role.ADMIN, Role.OPERATOR, Role.VIEWER, Role.AUDITOR)

# Who passes where a role is asked for. The auditor stands on no rung: only where AUDITOR itself
# is asked for, which is runs and audit, and there everybody above passes too.
SUFFICES: Final[Mapping[Role, frozenset[Role]]] = {
    role: frozenset(_LADDER[: place + 1]) for place, role in enumerate(_LADDER)
}


def caller(request: Request) -> User:
    """Return the person whose request it is, and show it the organizations they are members of.

    Raises NotAuthenticated for nobody.
    """
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return admitted(request.user)


def admitted(user: User) -> User:
    """Let the open scope see the organizations that somebody who is known is a member of."""
    if open_scope() is not None:
        admit(_organizations_of(user))
    return user


def memberships(user: User) -> QuerySet[OrganizationMembership]:
    """Return the caller's standing memberships in organizations that still are."""
    return OrganizationMembership.objects.filter(
        user=user, is_active=True, organization__deleted_at=None
    ).select_related("organization")


def organization(user: User, org_id: UUID, least: Role = Role.VIEWER) -> Organization:
    """Return an organization in which the caller's role suffices.

    Raises NotFound to whoever is no member, Forbidden to a member whose role is too low.
    """
    membership = memberships(user).filter(organization=org_id).first()
    if membership is None:
        raise NotFound
    _require(Role(membership.role), least)
    admit([org_id])
    return membership.organization


def within(
    user: User, rows: "QuerySet[Row] | type[Row]", row_id: UUID, least: Role = Role.VIEWER
) -> Row:
    """Return a row for a route without an organization in its path.

    Raises NotFound for a row of an organization that the caller is no member of, Forbidden for a
    role that is too low there.
    """
    roles = dict(memberships(user).values_list("organization_id", "role"))
    row = one(visible(user, rows), id=row_id)
    _require(Role(roles[row.organization_id]), least)  # type: ignore[attr-defined]  # it is Owned
    return row


def visible(user: User, rows: "QuerySet[Row] | type[Row]") -> "QuerySet[Row]":
    """Return the live rows of all organizations that the caller is a member of."""
    return live(rows).filter(organization__in=memberships(user).values("organization"))


def one(rows: "QuerySet[Row]", **keys: Any) -> Row:
    """Return the row that has `keys`; raises NotFound."""
    row = rows.filter(**keys).first()
    if row is None:
        raise NotFound
    return row


def live(rows: "QuerySet[Row] | type[Row]") -> "QuerySet[Row]":
    """Leave out what was deleted, and what stands in a deleted environment; evidence stays."""
    found: QuerySet[Row] = rows if isinstance(rows, QuerySet) else QuerySet(rows)
    if issubclass(found.model, Evidence):
        return found
    columns = {field.name for field in found.model._meta.fields}
    if "deleted_at" in columns:
        found = found.filter(deleted_at=None)
    if "environment" in columns:
        found = found.filter(Q(environment=None) | Q(environment__deleted_at=None))
    return found


def role_in(user: User, organization: Organization) -> Role:
    """Return the caller's role there; raises NotFound to whoever is no member."""
    membership = memberships(user).filter(organization=organization).first()
    if membership is None:
        raise NotFound
    return Role(membership.role)


def may_grant(granter: Role, granted: Role) -> bool:
    """Whether a role may give a role away: an admin at least, and never above their own."""
    within_own = granted is Role.AUDITOR or granter in SUFFICES[granted]
    return granter in SUFFICES[Role.ADMIN] and within_own


def _organizations_of(user: User) -> list[UUID]:
    """The organizations that a person is an active member of.

    On PostgreSQL nothing of them can be seen yet: there a function of the owner's tells.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT agentxsuite_organizations_of(%s)", [user.id])
            return list(cursor.fetchone()[0])
    standing = OrganizationMembership.objects.filter(user=user, is_active=True)
    return list(standing.values_list("organization_id", flat=True))


def _require(role: Role, least: Role) -> None:
    if role not in SUFFICES[least]:
        raise Forbidden(f"This needs the role {least.value} or above; yours is {role.value}.")
