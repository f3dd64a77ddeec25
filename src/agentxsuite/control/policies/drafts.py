"""A policy as somebody wants it to be: what is written down, before it is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.wire import JSON


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """One rule; an `id` says that it is the policy's rule of that id, edited."""

    action: str
    target: str
    effect: str
    conditions: JSON = None
    terms: Mapping[str, JSON] = field(default_factory=dict)
    message: str = ""
    name: str = ""
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class BindingDraft:
    """One scope in which the policy shall apply; by it, or by its `id`, it is the one of before."""

    scope_type: str
    scope_id: str
    priority: int = 0
    id: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """A whole policy; its rules stand in the order of their positions.

    `acknowledge_broad` says that an allow of everything is meant.
    """

    name: str
    rules: tuple[RuleDraft, ...] = ()
    bindings: tuple[BindingDraft, ...] = ()
    environment: Environment | None = None
    is_active: bool = True
    acknowledge_broad: bool = False


def draft_of(policy: Policy) -> PolicyDraft:
    """Return what is stored, as a draft to be edited."""
    return PolicyDraft(
        name=policy.name,
        rules=tuple(map(_rule, policy.rules.all())),
        bindings=tuple(map(_binding, policy.bindings.order_by("created_at", "id"))),
        environment=policy.environment,
        is_active=policy.is_active,
    )


def _rule(row: PolicyRule) -> RuleDraft:
    return RuleDraft(
        row.action,
        row.target,
        row.effect,
        row.conditions,
        row.terms,
        row.message,
        row.name,
        row.id,
    )


def _binding(row: PolicyBinding) -> BindingDraft:
    return BindingDraft(row.scope_type, row.scope_id, row.priority, row.id)
