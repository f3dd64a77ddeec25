"""A version of a policy as it is kept and shown."""

import json
from collections.abc import Sequence

from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule
from agentxsuite.wire import JSON


def rendered(policy: Policy, rules: list[PolicyRule], bindings: list[PolicyBinding]) -> JSON:
    """Return everything of a version that decides, and the names and ids to speak of it."""
    return {
        "name": policy.name,
        "environment": None if policy.environment_id is None else str(policy.environment_id),
        "is_active": policy.is_active,
        "rules": [rendered_rule(rule) for rule in rules],
        "bindings": [rendered_binding(binding) for binding in in_order(bindings)],
    }


def rendered_rule(rule: PolicyRule) -> dict[str, JSON]:
    """Return one rule."""
    return {
        "id": str(rule.id),
        "name": rule.name,
        "position": rule.position,
        "action": rule.action,
        "target": rule.target,
        "effect": rule.effect,
        "conditions": rule.conditions,
        "terms": rule.terms,
        "message": rule.message,
    }


def rendered_binding(binding: PolicyBinding) -> dict[str, JSON]:
    """Return one binding; within a policy its scope names it."""
    return {
        "scope_type": binding.scope_type,
        "scope_id": binding.scope_id,
        "priority": binding.priority,
    }


def in_order(bindings: Sequence[PolicyBinding]) -> list[PolicyBinding]:
    """Return bindings by scope: their order means nothing, so it must not look like a change."""
    return sorted(bindings, key=lambda each: (each.scope_type, each.scope_id))


def spelt(value: JSON) -> str:
    """Return a text that two values share only if they are the same: `1` is neither `1.0` nor true.

    Databases do not keep the order of an object's members, so it does not count.
    """
    return json.dumps(value, sort_keys=True)
