"""The decision. Deny wins, errors close the door, and nothing matching means no."""

from datetime import datetime
from typing import NamedTuple

from agentxsuite.engines.pdp.candidates import find_candidates
from agentxsuite.engines.pdp.compile import Filed, PolicySet
from agentxsuite.engines.pdp.conditions import causes, outcome
from agentxsuite.engines.pdp.kleene import ERROR
from agentxsuite.engines.pdp.model import ALLOW, DENY, Request
from agentxsuite.engines.pdp.paths import Absent, Facts
from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.engines.pdp.rules import CompiledRule
from agentxsuite.engines.pdp.terms import DEFAULT_TERMS, Terms
from agentxsuite.wire import JSON

EXPLICIT_DENY = "explicit_deny"
EXPLICIT_ALLOW = "explicit_allow"
DEFAULT_DENY = "default_deny"


class RuleRef(NamedTuple):
    """A rule as a record keeps it: it outlives the rule."""

    policy_id: str
    policy_name: str
    policy_version: int
    rule_id: str
    rule_name: str
    position: int
    priority: int
    effect: str
    message: str

    def as_json(self) -> dict[str, JSON]:
        """Plain JSON."""
        return self._asdict()


class Fault(NamedTuple):
    """Why a condition could not be judged: ``missing_path`` or ``wrong_type`` at ``path``.

    Without a rule it is the request that cannot be judged: ``path`` is ``request.target`` or
    ``request``, and ``code`` says why.
    """

    rule_id: str
    path: str
    code: str

    def as_json(self) -> dict[str, JSON]:
        """Plain JSON."""
        return self._asdict()


class Decision(NamedTuple):
    """An answer and what a record needs of it.

    ``paths``: what the conditions looked at that made this a denial, for the caller to see;
    ``errors``: the faults met on the way to the answer.
    """

    effect: str
    reason: str
    determining: RuleRef | None = None
    terms: Terms = DEFAULT_TERMS
    errors: tuple[Fault, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the effect is allow."""
        return self.effect == ALLOW

    @property
    def message(self) -> str:
        """What the author of the determining rule says to a caller."""
        return self.determining.message if self.determining else ""


def decide(policies: PolicySet, request: Request, at: datetime) -> Decision:
    """Decide ``request`` at the aware instant ``at``.

    Raises ValueError if the input is unknown: such a request can only be listed.
    """
    if request.input is Absent.UNKNOWN:
        raise ValueError("a decision needs the input; could_allow does without")
    return _judged(policies, request, Facts(request.attributes, request.input, at))


def could_allow(policies: PolicySet, request: Request, at: datetime) -> bool:
    """Whether some input, whatever ``request.input`` is, could make ``request`` allowed."""
    return _judged(policies, request, Facts(request.attributes, Absent.UNKNOWN, at)).allowed


def refer(filed: Filed) -> RuleRef:
    """The reference to a rule under the priority it was found with."""
    (negative_priority, _), compiled = filed
    policy, rule = compiled.policy, compiled.rule
    return RuleRef(
        policy.id,
        policy.name,
        policy.version,
        rule.id,
        rule.name,
        rule.position,
        -negative_priority,
        rule.effect,
        rule.message,
    )


def faults_of(rule: CompiledRule, facts: Facts) -> list[Fault]:
    """What made a rule's condition an error, by path."""
    leaves = causes(rule.condition, facts)
    return [Fault(rule.rule.id, leaf.path.text, outcome(leaf, facts)) for leaf in leaves]


def _judged(policies: PolicySet, request: Request, facts: Facts) -> Decision:
    try:
        candidates = find_candidates(policies, request)
    except Refused as refusal:
        path = "request" if refusal.code == "foreign_snapshot" else "request.target"
        return Decision(DENY, DEFAULT_DENY, errors=(Fault("", path, refusal.code),))
    errors: dict[Fault, None] = {}
    denies = _held(candidates.denies, facts, errors)
    if denies:
        best = min(denies)
        paths = _paths(best, facts)
        return Decision(DENY, EXPLICIT_DENY, refer(best), errors=tuple(errors), paths=paths)
    allows = _held(candidates.allows, facts, errors)
    if allows:
        best = min(allows)
        return Decision(ALLOW, EXPLICIT_ALLOW, refer(best), _terms(allows), tuple(errors))
    paths = _paths(min(candidates.allows), facts) if candidates.allows else ()
    return Decision(DENY, DEFAULT_DENY, errors=tuple(errors), paths=paths)


def _held(candidates: list[Filed], facts: Facts, errors: dict[Fault, None]) -> list[Filed]:
    held = []
    for filed in candidates:
        rule = filed[1]
        if rule.condition is not None:
            truth = rule.condition.truth(facts)
            if truth == ERROR:
                errors.update(dict.fromkeys(faults_of(rule, facts)))
            if not rule.accepts(truth):
                continue
        held.append(filed)
    return held


def _paths(filed: Filed, facts: Facts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(leaf.path.text for leaf in causes(filed[1].condition, facts)))


def _terms(allows: list[Filed]) -> Terms:
    terms = allows[0][1].terms
    for filed in allows:
        if filed[1].terms != terms:
            terms = terms.tightened(filed[1].terms)
    return terms
