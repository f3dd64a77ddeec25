"""Lists of what is not known one by one: every target that begins in one way, judged at once.

A template can become many resources. It is hidden only where each of them is surely denied.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from agentxsuite.engines.pdp.candidates import find_candidates, scopes_of
from agentxsuite.engines.pdp.compile import PolicySet
from agentxsuite.engines.pdp.kleene import FALSE
from agentxsuite.engines.pdp.model import Request
from agentxsuite.engines.pdp.paths import Absent, Facts
from agentxsuite.engines.pdp.patterns import TargetPattern
from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.engines.pdp.rules import CompiledRule
from agentxsuite.engines.pdp.targets import Target, covering_actions, read_target
from agentxsuite.wire import dumps

# What a rule says: within which namespace (the target's own, or one further down), whether it
# allows, what, and under which conditions.
Says = tuple[str, bool, str, bytes]


def could_allow_below(policies: PolicySet, request: Request, at: datetime) -> bool:
    """Whether some target that begins with ``request.target``'s segments could be allowed.

    Neither the rest of the target nor the input is known. Never False where one of them could be.
    """
    try:
        target = read_target(request.target)
        denies = find_candidates(policies, request).denies
    except Refused:  # whatever follows, such a target cannot be meant honestly
        return False
    facts = _known(request, at)
    if any(rule.target.deep and rule.accepts(rule.truth(facts)) for _, rule in denies):
        return False
    granting, _ = scopes_of(request, target)
    found = _meeting(policies, request, target, granting)
    return any(rule.allows and rule.accepts(rule.truth(facts)) for _, rule in found)


def outline(policies: PolicySet, request: Request, at: datetime) -> frozenset[Says]:
    """What is said of the targets that begin with ``request.target``'s segments.

    Another outline than before: some of them may be decided otherwise. Nothing where none of them
    could be allowed.
    """
    if not could_allow_below(policies, request, at):
        return frozenset()
    target, facts = read_target(request.target), _known(request, at)
    granting, restricting = scopes_of(request, target)
    found = [*_meeting(policies, request, target, granting)]
    found += [
        each for each in _meeting(policies, request, target, restricting) if not each[1].allows
    ]
    return frozenset(_said(inside, rule) for inside, rule in found if _matters(rule, facts))


def _known(request: Request, at: datetime) -> Facts:
    """The facts, without those that the rest of the target would be."""
    seen = {**request.attributes.get("request", {}), "target": Absent.UNKNOWN}
    return Facts({**request.attributes, "request": seen}, Absent.UNKNOWN, at)


def _matters(rule: CompiledRule, facts: Facts) -> bool:
    """Whether a rule may count for some of them: a deny also where it cannot be judged."""
    truth = rule.truth(facts)
    return rule.accepts(truth) if rule.allows else truth != FALSE


def _said(inside: str, rule: CompiledRule) -> Says:
    return inside, rule.allows, rule.rule.target, dumps(rule.rule.conditions)


def _meeting(
    policies: PolicySet, request: Request, target: Target, scopes: Sequence[str]
) -> Iterator[tuple[str, CompiledRule]]:
    """The rules that may cover what begins so, in such scopes, and inside of those further down."""
    own, actions = target.namespaces[-1], covering_actions(request.action)
    insides = [each for each in policies.namespaces if each.startswith(f"{own}/")]
    for inside, scope in [*((own, each) for each in scopes), *((each, each) for each in insides)]:
        for key in _keys(policies.keys(scope, target.keys[1]), target):
            for _, rule in policies.index[scope][key]:
                if rule.action in actions and _meets(rule.target, target.segments):
                    yield inside, rule


def _keys(filed: Iterable[str], target: Target) -> Iterator[str]:
    """Where rules may be filed that cover a target that begins so."""
    kind, last = target.keys[1], target.keys[1 + len(target.segments)]
    open_second = f"{kind}:*/" if len(target.segments) == 1 else f"{last}/"
    for key in filed:
        if key in target.keys or key.startswith((f"{last}/", open_second)):
            yield key


def _meets(pattern: TargetPattern, known: tuple[str, ...]) -> bool:
    """Whether a pattern filed under one of the keys covers some target that begins so."""
    if len(known) > pattern.count and not pattern.deep:
        return False
    return all(at >= len(known) or piece.covers(known[at]) for at, piece in pattern.rest)
