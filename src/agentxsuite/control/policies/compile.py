"""From rows to the decision engine's words: the one file of this app that knows both."""

from collections.abc import Collection

from django.db.models import Q

from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines import pdp


def policies_of(environment: Environment, among: Collection[str] | None = None) -> list[pdp.Policy]:
    """Return every policy that can apply in an environment: the organization's and its own.

    Three queries, whatever their number; `among` these ids only, where it is given.
    """
    here = Q(environment=None) | Q(environment=environment)
    rows = (
        Policy.objects.live()
        .in_organization(environment.organization_id)
        .filter(here, is_active=True)
        .prefetch_related("rules", "bindings")
        .order_by("id")
    )
    if among is not None:
        rows = rows.filter(id__in=among)
    return [policy_of(row, list(row.rules.all()), list(row.bindings.all())) for row in rows]


def policy_of(row: Policy, rules: list[PolicyRule], bindings: list[PolicyBinding]) -> pdp.Policy:
    """Return one policy in the engine's words, from rows that need not be stored."""
    return pdp.Policy(
        id=str(row.id),
        name=row.name,
        version=row.version,
        organization=str(row.organization_id),
        environment=None if row.environment_id is None else str(row.environment_id),
        active=row.is_active and row.deleted_at is None,
        rules=tuple(map(_rule, rules)),
        bindings=tuple(map(_binding, bindings)),
    )


def _rule(row: PolicyRule) -> pdp.Rule:
    return pdp.Rule(
        id=str(row.id),
        name=row.name,
        position=row.position,
        action=row.action,
        target=row.target,
        effect=row.effect,
        conditions=row.conditions,
        terms=row.terms,
        message=row.message,
    )


def _binding(row: PolicyBinding) -> pdp.Binding:
    return pdp.Binding(row.scope_type, row.scope_id, row.priority)
