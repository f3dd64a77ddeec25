"""Rules and bindings, changed one by one: each write is one new version of their policy."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule
from agentxsuite.control.policies.services import edit_policy
from agentxsuite.control.problems import Conflict, Fault, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Proviso:
    """On which condition, and with which word, a part is written.

    `version` is the one that the policy must have; `broad` says that an allow of everything is
    meant.
    """

    version: int | None = None
    broad: bool = False


ANYHOW = Proviso()


def add_rule(
    actor: Actor,
    policy: Policy,
    rule: RuleDraft,
    position: int | None = None,
    proviso: Proviso = ANYHOW,
) -> PolicyRule:
    """Insert a rule, at the end unless told.

    This, and all that follow, raise Invalid, Conflict, NotFound, and Stale for another version.
    """
    identifier = uuid4()
    added = replace(rule, id=identifier)

    def insert(draft: PolicyDraft) -> PolicyDraft:
        return replace(draft, rules=_placed(draft.rules, added, position))

    _edit(actor, policy, insert, proviso)
    return PolicyRule.objects.select_related("policy").get(id=identifier)


def change_rule(
    actor: Actor, rule: PolicyRule, changes: Mapping[str, Any], proviso: Proviso = ANYHOW
) -> PolicyRule:
    """Change what is named of a rule; a `position` moves it there."""
    facts = dict(changes)
    position = facts.pop("position", None)

    def change(draft: PolicyDraft) -> PolicyDraft:
        at = _find(draft.rules, rule.id)
        changed = replace(draft.rules[at], **facts)
        others = (*draft.rules[:at], *draft.rules[at + 1 :])
        return replace(draft, rules=_placed(others, changed, at if position is None else position))

    _edit(actor, rule.policy, change, proviso)
    return PolicyRule.objects.select_related("policy").get(id=rule.id)


def remove_rule(actor: Actor, rule: PolicyRule, proviso: Proviso = ANYHOW) -> None:
    """Take a rule out."""

    def remove(draft: PolicyDraft) -> PolicyDraft:
        at = _find(draft.rules, rule.id)
        return replace(draft, rules=(*draft.rules[:at], *draft.rules[at + 1 :]))

    _edit(actor, rule.policy, remove, proviso)


def add_binding(
    actor: Actor, policy: Policy, binding: BindingDraft, proviso: Proviso = ANYHOW
) -> PolicyBinding:
    """Let a policy apply in one more scope."""
    identifier = uuid4()
    added = replace(binding, id=identifier)

    def insert(draft: PolicyDraft) -> PolicyDraft:
        return replace(draft, bindings=(*draft.bindings, added))

    _edit(actor, policy, insert, proviso)
    return PolicyBinding.objects.select_related("policy").get(id=identifier)


def change_binding(
    actor: Actor, binding: PolicyBinding, changes: Mapping[str, Any], proviso: Proviso = ANYHOW
) -> PolicyBinding:
    """Change what is named of a binding."""

    def change(draft: PolicyDraft) -> PolicyDraft:
        at = _find(draft.bindings, binding.id)
        changed = replace(draft.bindings[at], **changes)
        return replace(draft, bindings=(*draft.bindings[:at], changed, *draft.bindings[at + 1 :]))

    _edit(actor, binding.policy, change, proviso)
    return PolicyBinding.objects.select_related("policy").get(id=binding.id)


def remove_binding(actor: Actor, binding: PolicyBinding, proviso: Proviso = ANYHOW) -> None:
    """Let a policy no longer apply in a scope."""

    def remove(draft: PolicyDraft) -> PolicyDraft:
        at = _find(draft.bindings, binding.id)
        return replace(draft, bindings=(*draft.bindings[:at], *draft.bindings[at + 1 :]))

    _edit(actor, binding.policy, remove, proviso)


def _edit(actor: Actor, policy: Policy, edit: Any, proviso: Proviso) -> None:
    def meant(draft: PolicyDraft) -> PolicyDraft:
        return _unbound_twice(replace(edit(draft), acknowledge_broad=proviso.broad))

    with _by_itself():
        edit_policy(actor, policy, meant, proviso.version)


def _unbound_twice(draft: PolicyDraft) -> PolicyDraft:
    named = [(each.scope_type, each.scope_id.lower()) for each in draft.bindings]
    if len(set(named)) < len(named):
        raise Conflict("The policy is bound to this scope already.")
    return draft


def _find(parts: tuple[Any, ...], part_id: UUID) -> int:
    """Where a part stands; raises NotFound when somebody has taken it out meanwhile."""
    for number, part in enumerate(parts):
        if part.id == part_id:
            return number
    raise NotFound


def _placed(
    rules: tuple[RuleDraft, ...], rule: RuleDraft, position: int | None
) -> tuple[RuleDraft, ...]:
    at = len(rules) if position is None else position
    return (*rules[:at], rule, *rules[at:])


@contextmanager
def _by_itself() -> Iterator[None]:
    """Tell what is wrong with a part as if it stood alone: the others were right before."""
    try:
        yield
    except Invalid as invalid:
        found: list[Fault] = [
            {"path": _inner(fault["path"]), "message": fault["message"]} for fault in invalid.errors
        ]
        first = found[0]
        detail = f"{first['path']}: {first['message']}".removeprefix(": ")
        raise Invalid(detail, found, code=invalid.code) from None


def _inner(path: str) -> str:
    """`/rules/3/action` as `/action`."""
    kind, _, rest = path.removeprefix("/").partition("/")
    if kind not in {"rules", "bindings"}:
        return path
    _, slash, inner = rest.partition("/")
    return slash + inner
