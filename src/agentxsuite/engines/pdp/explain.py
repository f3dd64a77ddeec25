"""The explanation of a decision: what matched, what nearly did, and what could not be judged.

It looks everything up again, so that calls nobody asks about do not pay for it.
"""

from dataclasses import dataclass
from datetime import datetime
from math import inf

from agentxsuite.engines.pdp.candidates import Candidates, find_candidates
from agentxsuite.engines.pdp.compile import Filed, PolicySet
from agentxsuite.engines.pdp.conditions import causes, outcome
from agentxsuite.engines.pdp.decide import Decision, Fault, RuleRef, faults_of, refer
from agentxsuite.engines.pdp.kleene import ERROR
from agentxsuite.engines.pdp.model import Request
from agentxsuite.engines.pdp.paths import Facts
from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.wire import JSON

MAX_MATCHING = 50


@dataclass(frozen=True, slots=True)
class FailingLeaf:
    """One comparison that kept a rule from matching; ``outcome`` as in ``conditions.outcome``."""

    path: str
    op: str
    value: JSON
    outcome: str

    def as_json(self) -> dict[str, JSON]:
        """Plain JSON."""
        return {"path": self.path, "op": self.op, "value": self.value, "outcome": self.outcome}


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that would have matched but for its condition."""

    rule: RuleRef
    failing: tuple[FailingLeaf, ...]

    def as_json(self) -> dict[str, JSON]:
        """Plain JSON."""
        return {"rule": self.rule.as_json(), "failing": [leaf.as_json() for leaf in self.failing]}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with everything it rests on.

    ``matching`` holds at most 50 rules, chosen so that they alone give the same decision;
    ``matching_count`` says how many there were. ``versions`` maps the policies named to versions.
    """

    decision: Decision
    matching: tuple[RuleRef, ...]
    matching_count: int
    near_misses: tuple[NearMiss, ...]
    errors: tuple[Fault, ...]
    versions: dict[str, int]
    snapshot_hash: str
    evaluated_at: str

    def as_json(self) -> dict[str, JSON]:
        """Plain JSON, for ``policies/evaluate`` and for records."""
        decision = self.decision
        determining = decision.determining
        return {
            "effect": decision.effect,
            "reason": decision.reason,
            "determining": determining and determining.as_json(),
            "message": decision.message,
            "paths": list(decision.paths),
            "terms": decision.terms.as_json(),
            "matching": [rule.as_json() for rule in self.matching],
            "matching_count": self.matching_count,
            "near_misses": [miss.as_json() for miss in self.near_misses],
            "errors": [fault.as_json() for fault in self.errors],
            "versions": self.versions,
            "snapshot_hash": self.snapshot_hash,
            "evaluated_at": self.evaluated_at,
        }


def explain(policies: PolicySet, request: Request, decision: Decision, at: datetime) -> Explanation:
    """Explain what ``decide`` answered to the same request, at the same instant."""
    facts = Facts(request.attributes, request.input, at)
    try:
        candidates = find_candidates(policies, request)
    except Refused:
        candidates = Candidates([], [])
    denies, allows = _once(candidates.denies), _once(candidates.allows)
    matching = [filed for filed in denies if _matches(filed, facts)]
    matching += _essential_first([filed for filed in allows if _matches(filed, facts)])
    missing = [filed for filed in denies + allows if not _matches(filed, facts)]
    return Explanation(
        decision=decision,
        matching=tuple(refer(filed) for filed in matching[:MAX_MATCHING]),
        matching_count=len(matching),
        near_misses=tuple(NearMiss(refer(filed), _failing(filed, facts)) for filed in missing),
        errors=_errors(denies + allows, facts) or decision.errors,
        versions={
            filed[1].policy.id: filed[1].policy.version
            for filed in matching[:MAX_MATCHING] + missing
        },
        snapshot_hash=policies.snapshot_hash,
        evaluated_at=facts.time(),
    )


def _once(candidates: list[Filed]) -> list[Filed]:
    """Every rule once, under its best rank, best first."""
    best: dict[int, Filed] = {}
    for filed in sorted(candidates):
        best.setdefault(id(filed[1]), filed)
    return list(best.values())


def _matches(filed: Filed, facts: Facts) -> bool:
    return filed[1].accepts(filed[1].truth(facts))


def _essential_first(allows: list[Filed]) -> list[Filed]:
    """The determining allow, those that set the combined terms, then the others."""
    if not allows:
        return []
    first = [
        allows[0],
        min(allows, key=lambda filed: inf if (own := filed[1].terms.timeout) is None else own),
        min(allows, key=lambda filed: filed[1].terms.rate.per_minute),
        min(allows, key=lambda filed: filed[1].terms.rate.burst),
    ]
    redacted: set[str] = set()
    for filed in allows:
        if not redacted.issuperset(filed[1].terms.redact):
            redacted.update(filed[1].terms.redact)
            first.append(filed)
    return list(dict.fromkeys(first + allows))


def _failing(filed: Filed, facts: Facts) -> tuple[FailingLeaf, ...]:
    return tuple(
        FailingLeaf(leaf.path.text, leaf.op, leaf.value, outcome(leaf, facts))
        for leaf in causes(filed[1].condition, facts)
    )


def _errors(candidates: list[Filed], facts: Facts) -> tuple[Fault, ...]:
    wrong = [rule for _, rule in candidates if rule.truth(facts) == ERROR]
    return tuple(dict.fromkeys(fault for rule in wrong for fault in faults_of(rule, facts)))
