"""Writing policies: whole, checked, in one transaction, and as a new version each time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.policies import checks, scopes
from agentxsuite.control.policies.compile import policy_of
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft, draft_of
from agentxsuite.control.policies.models import (
    Policy,
    PolicyBinding,
    PolicyRule,
    PolicyVersion,
)
from agentxsuite.control.policies.rendering import rendered
from agentxsuite.control.tenancy.models import Organization
from agentxsuite.control.tenancy.problems import Conflict, Fault, Invalid, NotFound, Problem
from agentxsuite.control.tenancy.scope import changing

Edit = Callable[[PolicyDraft], PolicyDraft]


class Stale(Problem):
    """Somebody else has changed it since the caller looked (RFC 9110, section 13.1.1)."""

    status = 412
    title = "Changed meanwhile"

    def __init__(self, version: int) -> None:
        super().__init__("lost_update", f"The policy is at version {version} now; look again.")


def create_policy(actor: Actor, organization: Organization, draft: PolicyDraft) -> Policy:
    """Write a new policy, at once in force as version 1. Raises Invalid, Conflict."""
    _check_ids(set(), draft)
    with changing(organization.id):
        policy = Policy(organization=organization, version=1)
        _write(actor, policy, None, draft)
        _record("policy_created", actor, policy)
    return policy


def replace_policy(
    actor: Actor, policy: Policy, draft: PolicyDraft, expected_version: int | None = None
) -> Policy:
    """Put a draft, rules and bindings, in place of what was there.

    Raises Invalid, Conflict, NotFound, and Stale where the version is not the expected one.
    """

    def whole(before: PolicyDraft) -> PolicyDraft:
        _check_ids({rule.id for rule in before.rules}, draft)
        return draft

    return edit_policy(actor, policy, whole, expected_version)


def add_rule(
    actor: Actor,
    policy: Policy,
    rule: RuleDraft,
    *,
    position: int | None = None,
    acknowledge_broad: bool = False,
) -> PolicyRule:
    """Insert a rule, at the end unless told; raises as `replace_policy` does."""
    identifier = uuid4()
    added = replace(rule, id=identifier)

    def insert(draft: PolicyDraft) -> PolicyDraft:
        at = len(draft.rules) if position is None else position
        rules = (*draft.rules[:at], added, *draft.rules[at:])
        return replace(draft, rules=rules, acknowledge_broad=acknowledge_broad)

    edit_policy(actor, policy, insert)
    return PolicyRule.objects.get(id=identifier)


def edit_policy(
    actor: Actor, policy: Policy, edit: Edit, expected_version: int | None = None
) -> Policy:
    """Make of the current version the next one; nobody else can write in between.

    Raises Invalid, Conflict, NotFound, and Stale where the version is not the expected one.
    """
    with changing(policy.organization_id):
        current = Policy.objects.live().select_for_update().filter(pk=policy.pk).first()
        if current is None:
            raise NotFound
        if expected_version not in {None, current.version}:
            raise Stale(current.version)
        before = draft_of(current)
        draft = edit(before)
        current.version += 1
        _write(actor, current, before, draft)
        _record("policy_changed", actor, current)
    return current


def _write(actor: Actor, policy: Policy, before: PolicyDraft | None, draft: PolicyDraft) -> None:
    draft = replace(draft, bindings=tuple(map(scopes.canonical, draft.bindings)))
    _check_environment(policy, draft)
    policy.name, policy.is_active = draft.name, draft.is_active
    policy.environment = draft.environment
    rules = [_rule(policy, number, rule) for number, rule in enumerate(draft.rules)]
    bindings = [_binding(policy, binding) for binding in draft.bindings]
    checks.check(policy.organization, before, draft, policy_of(policy, rules, bindings))
    checks.check_broad(before, draft)
    policy.rules_json = rendered(policy, rules, bindings)
    _save(policy)
    policy.rules.all().delete()
    policy.bindings.all().delete()
    PolicyRule.objects.bulk_create(rules)
    PolicyBinding.objects.bulk_create(bindings)
    PolicyVersion.objects.create(
        organization=policy.organization,
        policy=policy,
        number=policy.version,
        rules_json=policy.rules_json,
        created_by=actor.user,
    )


def _save(policy: Policy) -> None:
    try:
        with transaction.atomic():
            policy.save()
    except IntegrityError:
        raise Conflict("Another policy of the organization has this name.") from None


def _rule(policy: Policy, position: int, draft: RuleDraft) -> PolicyRule:
    return PolicyRule(
        id=draft.id or uuid4(),
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
        organization_id=policy.organization_id,
        policy=policy,
        scope_type=draft.scope_type,
        scope_id=draft.scope_id,
        priority=draft.priority,
    )


def _check_environment(policy: Policy, draft: PolicyDraft) -> None:
    environment = draft.environment
    if environment is not None and environment.organization_id != policy.organization_id:
        raise Invalid.at("/environment", "There is no such environment.")


def _check_ids(known: set[UUID | None], draft: PolicyDraft) -> None:
    """Refuse rules that claim to be what they cannot be: another policy's, or one rule twice."""
    ids = [rule.id for rule in draft.rules]
    faults: list[Fault] = [
        {"path": f"/rules/{number}/id", "message": "The policy has no such rule."}
        for number, rule_id in enumerate(ids)
        if rule_id is not None and (rule_id not in known or rule_id in ids[:number])
    ]
    if faults:
        raise Invalid("A rule names an id that is not its own.", faults, code="policy_invalid")


def _record(
    event: Literal["policy_created", "policy_changed"], actor: Actor, policy: Policy
) -> None:
    record(
        event,
        actor=actor,
        organization=policy.organization_id,
        environment=policy.environment_id,
        action="policy.create" if event == "policy_created" else "policy.change",
        target=f"policy:{policy.id}",
        data={
            "name": policy.name,
            "version": policy.version,
            "is_active": policy.is_active,
            "rules": len(policy.rules_json["rules"]),
            "bindings": len(policy.rules_json["bindings"]),
        },
    )
