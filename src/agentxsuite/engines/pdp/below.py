"""Lists of what is not known one by one: every target that begins in one way, judged at once.

A template can become many resources. It is hidden only where each of them is surely denied.
"""

from collections.abc import Iterator
from datetime import datetime

from agentxsuite.engines.pdp.candidates import find_candidates, scopes_of
from agentxsuite.engines.pdp.compile import PolicySet, Shelf
from agentxsuite.engines.pdp.model import Request
from agentxsuite.engines.pdp.paths import Absent, Facts
from agentxsuite.engines.pdp.patterns import TargetPattern
from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.engines.pdp.rules import CompiledRule
from agentxsuite.engines.pdp.targets import Target, covering_actions, read_target


def could_allow_below(policies: PolicySet, request: Request, at: datetime) -> bool:
    """Whether some target that begins with ``request.target``'s segments could be allowed.

    Neither the rest of the target nor the input is known. Never False where one of them could be.
    """
    try:
        target = read_target(request.target)
        denies = find_candidates(policies, request).denies
    except Refused:  # whatever follows, such a target cannot be meant honestly
        return False
    seen = {**request.attributes.get("request", {}), "target": Absent.UNKNOWN}
    facts = Facts({**request.attributes, "request": seen}, Absent.UNKNOWN, at)
    if any(rule.target.deep and rule.accepts(rule.truth(facts)) for _, rule in denies):
        return False
    return any(rule.accepts(rule.truth(facts)) for rule in _allows(policies, request, target))


def _allows(policies: PolicySet, request: Request, target: Target) -> Iterator[CompiledRule]:
    """The allows that may cover a target that begins so."""
    granting, _ = scopes_of(request, target)
    inner = f"{target.namespaces[-1]}/"
    scopes = granting + [scope for scope in policies.index if scope.startswith(inner)]
    actions = covering_actions(request.action)
    for scope in scopes:
        shelf = policies.index.get(scope, {})
        for key in _keys(shelf, target):
            for _, rule in shelf[key]:
                if rule.allows and rule.action in actions and _meets(rule.target, target.segments):
                    yield rule


def _keys(shelf: Shelf, target: Target) -> Iterator[str]:
    """Where rules may be filed that cover a target that begins so."""
    kind, last = target.keys[1], target.keys[1 + len(target.segments)]
    open_second = f"{kind}:*/" if len(target.segments) == 1 else f"{last}/"
    for key in shelf:
        if key in target.keys or key.startswith((f"{last}/", open_second)):
            yield key


def _meets(pattern: TargetPattern, known: tuple[str, ...]) -> bool:
    """Whether a pattern filed under one of the keys covers some target that begins so."""
    if len(known) > pattern.count and not pattern.deep:
        return False
    return all(at >= len(known) or piece.covers(known[at]) for at, piece in pattern.rest)
