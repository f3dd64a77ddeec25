"""What was in force at an earlier moment: policies by their versions, roles by the audit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import OuterRef, Q, Subquery

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.policies.models import Policy, PolicyVersion
from agentxsuite.control.tenancy.evidence import EARLY, first_id
from agentxsuite.control.tenancy.models import Environment, OrganizationMembership, User
from agentxsuite.engines import pdp
from agentxsuite.wire import JSON

MEMBERSHIP: Final = ("member_added", "member_changed", "member_removed")
NOBODY: Final = ("", False)

Standing = tuple[str, bool]  # a role, and whether its membership was active


def policies_then(environment: Environment, at: datetime) -> list[pdp.Policy]:
    """Return the policies that could apply in an environment at a moment; one query."""
    there = Policy.objects.in_organization(environment.organization_id).filter(
        Q(deleted_at=None) | Q(deleted_at__gt=at)
    )
    earlier = PolicyVersion.objects.filter(policy=OuterRef("policy"), created_at__lte=at)
    last = Subquery(earlier.order_by("-number").values("number")[:1])
    rows = PolicyVersion.objects.filter(policy__in=there.values("id"), number=last)
    return [policy_then(row) for row in rows]


def policy_then(version: PolicyVersion) -> pdp.Policy:
    """Return a version in the engine's words."""
    said: Mapping[str, Any] = version.rules_json
    return pdp.Policy(
        id=str(version.policy_id),
        name=said["name"],
        version=version.number,
        organization=str(version.organization_id),
        environment=said["environment"],
        active=said["is_active"],
        rules=tuple(pdp.Rule(**rule) for rule in said["rules"]),
        bindings=tuple(pdp.Binding(**binding) for binding in said["bindings"]),
    )


def role_now(environment: Environment, user: User) -> str | None:
    """Return a person's role in the environment's organization, if they have one."""
    role, active = _standing(environment, user)
    return role if active and user.is_active else None


def role_then(environment: Environment, user: User, at: datetime) -> str | None:
    """Return the role that a person had at a moment: today's, with every change since undone."""
    standing = _standing(environment, user)
    since = (
        AuditEvent.objects.in_organization(environment.organization_id)
        .filter(target=f"user:{user.id}", event_type__in=MEMBERSHIP)
        .filter(ts__gt=at, id__gte=first_id(at, EARLY))
    )
    events = list(since.values_list("event_type", "event_data"))
    if not events and not _member_since(environment, user, at):
        return None
    for kind, data in events:  # newest first
        standing = _undone(standing, kind, data)
    role, active = standing
    return role if active else None


def _undone(after: Standing, kind: str, data: Mapping[str, JSON]) -> Standing:
    if kind == "member_added":
        return NOBODY
    if kind == "member_removed":
        return str(data["role"]), True
    changes = data["changes"]
    role, active = (
        changes[name]["from"] if name in changes else was
        for name, was in zip(("role", "is_active"), after, strict=True)
    )
    return str(role), bool(active)


def _standing(environment: Environment, user: User) -> Standing:
    found = _memberships(environment, user).values_list("role", "is_active").first()
    return found or NOBODY


def _member_since(environment: Environment, user: User, at: datetime) -> bool:
    return bool(_memberships(environment, user).filter(created_at__lte=at).exists())


def _memberships(environment: Environment, user: User) -> Any:
    rows = OrganizationMembership.objects.in_organization(environment.organization_id)
    return rows.filter(user=user)
