"""Whether a policy may be written: everything wrong with it is told at once, and where."""

from collections import Counter
from collections.abc import Iterator, Sequence

from agentxsuite import wire
from agentxsuite.control.policies import scopes
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy as PolicyRow
from agentxsuite.control.policies.models import PolicyBinding, PolicyRule, ScopeType
from agentxsuite.control.problems import Fault, Invalid
from agentxsuite.control.tenancy.models import Organization
from agentxsuite.engines import pdp

MAX_BINDINGS = 500
MAX_MESSAGE = 2000
PRIORITIES = range(-(2**31), 2**31)
EVERYTHING = "*"


def check(
    organization: Organization,
    before: PolicyDraft | None,
    draft: PolicyDraft,
    policy: pdp.Policy,
    kept: Sequence[BindingDraft] = (),
) -> None:
    """Raise Invalid, with a fault for each part that could not be stored or enforced.

    `policy` is the draft in the engine's words; what it was bound to `before`, and what is `kept`,
    may be gone by now.
    """
    home = scopes.Home(organization, draft.environment)
    moved = before is None or before.environment != draft.environment
    known = (*kept, *(() if before is None or moved else before.bindings))
    found = [*_texts(draft), *_bindings(draft), *scopes.missing(home, draft.bindings, known)]
    try:
        pdp.check_policy(policy)
    except pdp.PolicyInvalid as invalid:
        found += [{"path": each.path, "message": each.detail} for each in invalid.problems]
    if found:
        raise Invalid(_summary(found), found, code="policy_invalid")


def check_broad(before: PolicyDraft | None, draft: PolicyDraft) -> None:
    """Raise Invalid for a new allow of everything that nobody said was meant."""
    if _is_broad(draft) and not draft.acknowledge_broad and not (before and _is_broad(before)):
        message = "This allows everything to everybody in its scope; acknowledge that it is meant."
        fault: Fault = {"path": "/acknowledge_broad", "message": message}
        raise Invalid(message, [fault], code="broad_allow")


def _is_broad(draft: PolicyDraft) -> bool:
    wide = any(each.scope_type in {ScopeType.ORG, ScopeType.ENV} for each in draft.bindings)
    return wide and any(map(_allows_everything, draft.rules))


def _allows_everything(rule: RuleDraft) -> bool:
    pattern = (rule.effect, rule.action, rule.target)
    return pattern == (pdp.ALLOW, EVERYTHING, EVERYTHING) and not rule.conditions


def _texts(draft: PolicyDraft) -> Iterator[Fault]:
    """What the columns cannot hold."""
    yield from _text("/name", draft.name, _length(PolicyRow, "name"), least=1)
    for number, rule in enumerate(draft.rules):
        at = f"/rules/{number}"
        yield from _text(f"{at}/name", rule.name, _length(PolicyRule, "name"))
        yield from _text(f"{at}/action", rule.action, _length(PolicyRule, "action"))
        yield from _text(f"{at}/target", rule.target, _length(PolicyRule, "target"))
        yield from _text(f"{at}/message", rule.message, MAX_MESSAGE)
        for name, value in (("conditions", rule.conditions), ("terms", dict(rule.terms))):
            if not _storable(value):
                yield {"path": f"{at}/{name}", "message": "A text in it cannot be stored."}


def _bindings(draft: PolicyDraft) -> Iterator[Fault]:
    if len(draft.bindings) > MAX_BINDINGS:
        yield {"path": "/bindings", "message": f"A policy has at most {MAX_BINDINGS} bindings."}
    times = Counter((each.scope_type, each.scope_id) for each in draft.bindings)
    for number, binding in enumerate(draft.bindings):
        at = f"/bindings/{number}"
        yield from _text(f"{at}/scope_id", binding.scope_id, _length(PolicyBinding, "scope_id"))
        if times[binding.scope_type, binding.scope_id] > 1:
            yield {"path": at, "message": "The same scope is bound twice."}
        if binding.priority not in PRIORITIES:
            yield {"path": f"{at}/priority", "message": "A priority has at most 32 bits."}


def _text(path: str, text: str, most: int, *, least: int = 0) -> Iterator[Fault]:
    if not least <= len(text) <= most or not _storable(text):
        yield {"path": path, "message": f"Give {least} to {most} characters of text."}


def _storable(value: wire.JSON) -> bool:
    """Whether both databases hold it: PostgreSQL takes no NUL, and nobody half a character."""
    try:
        return not wire.holds_nul(wire.dumps(value))
    except (UnicodeEncodeError, TypeError, ValueError):
        return False


def _length(model: type[PolicyRow | PolicyRule | PolicyBinding], name: str) -> int:
    return model._meta.get_field(name).max_length or 0  # type: ignore[union-attr]  # never a relation


def _summary(found: list[Fault]) -> str:
    first = f"{found[0]['path']}: {found[0]['message']}"
    return first if len(found) == 1 else f"{first} (and {len(found) - 1} more)"
