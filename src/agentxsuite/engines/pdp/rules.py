"""One rule, compiled: read when written, enforced as read."""

from dataclasses import dataclass
from functools import partial

from agentxsuite.engines.pdp.conditions import Node
from agentxsuite.engines.pdp.kleene import FALSE, TRUE, Truth
from agentxsuite.engines.pdp.model import ALLOW, DENY, Binding, Policy, Rule
from agentxsuite.engines.pdp.paths import Facts
from agentxsuite.engines.pdp.patterns import (
    TargetPattern,
    parse_action,
    parse_namespace,
    parse_target,
)
from agentxsuite.engines.pdp.problems import Refused, Report
from agentxsuite.engines.pdp.reading import read_conditions
from agentxsuite.engines.pdp.terms import DEFAULT_TERMS, Terms, read_terms
from agentxsuite.wire import JSON

MAX_RULES = 500
NAMESPACE = "resource_ns"
SCOPE_TYPES = frozenset({"org", "env", "agent", "tool", "role", "user", NAMESPACE})


@dataclass(slots=True, eq=False)
class CompiledRule:
    """A rule that can be enforced; ``order`` breaks ties of priority."""

    policy: Policy
    rule: Rule
    order: tuple[str, int, str, str]
    allows: bool
    action: str
    target: TargetPattern
    condition: Node | None
    terms: Terms

    def truth(self, facts: Facts) -> Truth:
        """What is known of the condition."""
        return TRUE if self.condition is None else self.condition.truth(facts)

    def accepts(self, truth: Truth) -> bool:
        """Whether the rule counts: a deny unless it can be false, an allow if it can be true."""
        return bool(truth & TRUE) if self.allows else not truth & FALSE


def compile_rule(policy: Policy, rule: Rule, report: Report, at: str) -> CompiledRule | None:
    """Read ``rule``; None where it cannot be enforced, with the reasons noted under ``at``."""
    found = len(report.problems)
    action = report.attempt(f"{at}/action", partial(parse_action, rule.action))
    target = report.attempt(f"{at}/target", partial(_target, rule.target))
    condition = read_conditions(rule.conditions, report, f"{at}/conditions")
    terms = _terms(rule, report, at)
    if action is None or target is None or len(report.problems) > found:
        return None
    order = (policy.name, rule.position, policy.id, rule.id)
    return CompiledRule(policy, rule, order, rule.effect == ALLOW, action, target, condition, terms)


def scope_of(binding: Binding) -> str:
    """The scope a binding names, in one canonical string; raises Refused."""
    if binding.scope_type not in SCOPE_TYPES:
        raise Refused("unknown_scope", f"a scope is one of {', '.join(sorted(SCOPE_TYPES))}")
    if not isinstance(binding.scope_id, str) or not binding.scope_id:
        raise Refused("bad_scope", "a binding names what it binds to")
    namespace = binding.scope_type == NAMESPACE
    scope_id = parse_namespace(binding.scope_id) if namespace else binding.scope_id
    return f"{binding.scope_type}:{scope_id}"


def check_rule(rule: Rule) -> None:
    """Raise PolicyInvalid unless ``rule`` can be enforced as written."""
    report = Report()
    compile_rule(_NOWHERE, rule, report, "")
    report.close()


def check_policy(policy: Policy) -> None:
    """Raise PolicyInvalid unless every rule and binding can be enforced as written."""
    report = Report()
    if len(policy.rules) > MAX_RULES:
        report.add("/rules", "too_many_rules", f"a policy has at most {MAX_RULES} rules")
    else:
        for number, rule in enumerate(policy.rules):
            compile_rule(policy, rule, report, f"/rules/{number}")
    for number, binding in enumerate(policy.bindings):
        report.attempt(f"/bindings/{number}", partial(scope_of, binding))
    report.close()


def _target(text: JSON) -> TargetPattern:
    if not isinstance(text, str):
        raise Refused("bad_target", "a target is a string")
    return parse_target(text)


def _terms(rule: Rule, report: Report, at: str) -> Terms:
    if rule.effect == ALLOW:
        return read_terms(rule.terms, report, f"{at}/terms")
    if rule.effect != DENY:
        report.add(f"{at}/effect", "bad_effect", f"effect is {ALLOW} or {DENY}")
    elif rule.terms:
        report.add(f"{at}/terms", "terms_on_deny", "a deny has no terms: nothing is left to limit")
    return DEFAULT_TERMS


_NOWHERE = Policy("", "", 0, "", None, active=False, rules=(), bindings=())
