"""From rows to the decision engine's words: the one file of this app that knows both."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet

from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines import pdp

POLICY = ("id", "name", "version", "organization_id", "environment_id")
BINDING = ("policy_id", "scope_type", "scope_id", "priority")
# After the two ids, in the order of the engine's own fields.
RULE = (
    *("policy_id", "id", "name", "position", "action", "target", "effect"),
    *("conditions", "terms", "message"),
)


def policies_of(environment: Environment, among: Collection[str] | None = None) -> list[pdp.Policy]:
    """Return every policy that can apply in an environment: the organization's and its own.

    Three queries, whatever their number; `among` these ids only, where it is given. Rows are read
    as plain values: ten thousand rules as objects of the ORM would take twice as long.
    """
    here = Q(environment=None) | Q(environment=environment)
    rows = (
        Policy.objects.live()
        .in_organization(environment.organization_id)
        .filter(here, is_active=True)
    )
    if among is not None:
        rows = rows.filter(id__in=among)
    rules: defaultdict[Any, list[pdp.Rule]] = defaultdict(list)
    for policy, identifier, *facts in _parts(PolicyRule, rows).values_list(*RULE):
        rules[policy].append(pdp.Rule(str(identifier), *facts))
    bindings: defaultdict[Any, list[pdp.Binding]] = defaultdict(list)
    for policy, *facts in _parts(PolicyBinding, rows).order_by(*BINDING[1:]).values_list(*BINDING):
        bindings[policy].append(pdp.Binding(*facts))
    return [
        pdp.Policy(
            id=str(identifier),
            name=name,
            version=version,
            organization=str(organization),
            environment=None if place is None else str(place),
            active=True,
            rules=tuple(rules[identifier]),
            bindings=tuple(bindings[identifier]),
        )
        for identifier, name, version, organization, place in rows.values_list(*POLICY)
    ]


def _parts(model: Any, policies: "QuerySet[Policy]") -> Any:
    """The rules, or bindings, of some policies."""
    return model.objects.filter(policy__in=policies.values("id"))


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
