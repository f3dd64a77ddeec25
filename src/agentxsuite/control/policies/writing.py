"""From a draft to rows: what is the same stays as it is, under the ids that it had."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from agentxsuite.control.policies import checks, scopes
from agentxsuite.control.policies.compile import policy_of
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft, draft_of
from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule, PolicyVersion
from agentxsuite.control.policies.rendering import (
    rendered,
    rendered_binding,
    rendered_rule,
    spelt,
)
from agentxsuite.control.problems import Conflict, Invalid
from agentxsuite.control.tenancy.models import User

Kept = Sequence[BindingDraft]


def write(policy: Policy, draft: PolicyDraft, author: User | None, kept: Kept = ()) -> bool:
    """Make a draft the next version of a policy, which nobody else changes meanwhile.

    False where it says nothing new: then nothing is written. `kept` are scopes that may be gone by
    now. Raises Invalid, Conflict.
    """
    before = None if policy._state.adding else draft_of(policy)  # noqa: SLF001 - no other way to ask
    draft = _identified(before, draft)
    _check_environment(policy, draft)
    policy.name, policy.is_active = draft.name, draft.is_active
    policy.environment = draft.environment
    rules = [_rule(policy, number, rule) for number, rule in enumerate(draft.rules)]
    bindings = [_binding(policy, binding) for binding in draft.bindings]
    checks.check(policy.organization, before, draft, policy_of(policy, rules, bindings), kept)
    checks.check_broad(before, draft)
    now = rendered(policy, rules, bindings)
    if before is not None and spelt(now) == spelt(policy.rules_json):
        return False
    policy.version += before is not None
    policy.rules_json = now
    _save(policy)
    _store(list(policy.rules.all()), rules, rendered_rule)
    _store(list(policy.bindings.all()), bindings, rendered_binding)
    _keep(policy, author)
    return True


def _identified(before: PolicyDraft | None, draft: PolicyDraft) -> PolicyDraft:
    """Give each part the id of the part of before that it says again, or else a new one."""
    rules, bindings = (before.rules, before.bindings) if before else ((), ())
    claimed = {rule.id for rule in draft.rules}
    free: defaultdict[str, list[UUID | None]] = defaultdict(list)
    for rule in reversed(rules):
        if rule.id not in claimed:
            free[_content(rule)].append(rule.id)
    bound = {(each.scope_type, each.scope_id): each.id for each in bindings}
    wanted = tuple(map(scopes.canonical, draft.bindings))
    taken = {each.id for each in wanted}
    return replace(
        draft,
        rules=tuple(
            replace(rule, id=rule.id or (free[_content(rule)] or [uuid4()]).pop())
            for rule in draft.rules
        ),
        bindings=tuple(
            each if each.id else replace(each, id=_unless(taken, bound, each)) for each in wanted
        ),
    )


def _unless(
    taken: set[UUID | None], bound: dict[tuple[str, str], UUID | None], binding: BindingDraft
) -> UUID:
    known = bound.get((binding.scope_type, binding.scope_id))
    return uuid4() if known is None or known in taken else known


def _content(rule: RuleDraft) -> str:
    said = (rule.action, rule.target, rule.effect, rule.conditions, rule.message, rule.name)
    return spelt([*said, dict(rule.terms)])


def _check_environment(policy: Policy, draft: PolicyDraft) -> None:
    environment = draft.environment
    if environment is not None and environment.organization_id != policy.organization_id:
        raise Invalid.at("/environment", "There is no such environment.")


def _save(policy: Policy) -> None:
    try:
        with transaction.atomic():
            policy.save()
    except IntegrityError:
        raise Conflict("Another policy of the organization has this name.") from None


def _store(before: list[Any], after: list[Any], facts: Callable[[Any], Any]) -> None:
    """Delete what is gone or changed, and write what is new or changed."""
    known = {row.id: row for row in before}
    for row in after:
        if row.id in known:
            row.created_at = known[row.id].created_at
    same = {
        row.id
        for row in after
        if row.id in known and spelt(facts(row)) == spelt(facts(known[row.id]))
    }
    gone = known.keys() - same
    if gone:
        type(before[0]).objects.filter(id__in=gone).delete()
    fresh = [row for row in after if row.id not in same]
    if fresh:
        type(fresh[0]).objects.bulk_create(fresh)


def _keep(policy: Policy, author: User | None) -> None:
    PolicyVersion.objects.create(
        organization=policy.organization,
        policy=policy,
        number=policy.version,
        rules_json=policy.rules_json,
        created_by=author,
    )


def _rule(policy: Policy, position: int, draft: RuleDraft) -> PolicyRule:
    return PolicyRule(
        id=draft.id,
        organization_id=policy.organization_id,
        policy=policy,
        position=position,
        name=draft.name,
        action=draft.action,
        target=draft.target,
        effect=draft.effect,
        conditions=draft.conditions,
        terms=dict(draft.terms),
        message=draft.message,
    )


def _binding(policy: Policy, draft: BindingDraft) -> PolicyBinding:
    return PolicyBinding(
        id=draft.id,
        organization_id=policy.organization_id,
        policy=policy,
        scope_type=draft.scope_type,
        scope_id=draft.scope_id,
        priority=draft.priority,
    )
