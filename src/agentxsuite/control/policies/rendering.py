"""A version of a policy as it is kept and shown."""

from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule
from agentxsuite.wire import JSON


def rendered(policy: Policy, rules: list[PolicyRule], bindings: list[PolicyBinding]) -> JSON:
    """Return everything of a version that decides, and the names and ids to speak of it."""
    return {
        "name": policy.name,
        "environment": None if policy.environment_id is None else str(policy.environment_id),
        "is_active": policy.is_active,
        "rules": [
            {
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
            for rule in rules
        ],
        "bindings": [
            {
                "scope_type": binding.scope_type,
                "scope_id": binding.scope_id,
                "priority": binding.priority,
            }
            for binding in bindings
        ],
    }
