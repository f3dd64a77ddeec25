"""Short ways to write policies and requests; the organization is ``o``, the environment ``e``."""

from dataclasses import replace
from datetime import UTC, datetime

from agentxsuite.engines import pdp

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ORGANIZATION = "o"
ENVIRONMENT = "e"


def rule(text, conditions=None, **more):
    """``"allow tool.invoke tool:pdf/*"`` and whatever else a rule has."""
    effect, action, target = text.split(" ", 2)
    given = {"id": text, "name": text, "position": 0, "action": action, "target": target}
    return pdp.Rule(**{**given, "effect": effect, "conditions": conditions, **more})


def policy(*rules, name="p", bind=("org:o",), **more):
    """A policy of rules (or texts of rules), bound by texts as ``"agent:a 1000"``."""
    given = {"id": name, "version": 1, "organization": "o", "environment": None, "active": True}
    made = [rule(each) if isinstance(each, str) else each for each in rules]
    placed = tuple(replace(each, position=at) for at, each in enumerate(made))
    return pdp.Policy(
        name=name, rules=placed, bindings=tuple(binding(text) for text in bind), **{**given, **more}
    )


def binding(text):
    scope, _, priority = text.partition(" ")
    scope_type, _, scope_id = scope.partition(":")
    return pdp.Binding(scope_type, scope_id, int(priority or 0))


def call(target="tool:pdf/read", input_=None, **more):
    """A request of agent ``a``."""
    given = {
        "organization": ORGANIZATION,
        "environment": ENVIRONMENT,
        "action": "tool.invoke",
        "agent": "a",
        "input": {} if input_ is None else input_,
    }
    return pdp.Request(target=target, **{**given, **more})


def compiled(*policies):
    return pdp.PolicySet.compile(policies, ORGANIZATION, ENVIRONMENT)


def decide(policies, request, at=NOON):
    """Decide over policies, or over rules and texts of rules bound to the organization."""
    listed = list(policies)
    if not all(isinstance(each, pdp.Policy) for each in listed):
        listed = [policy(*listed)]
    return pdp.decide(compiled(*listed), request, at)


def holds(conditions, input_=None, at=NOON, **more):
    """Whether a condition holds for an allow, and whether for a deny."""
    request = call(input_=input_, **more)
    allow = decide([rule("allow * *", conditions)], request, at)
    deny = decide([rule("allow * *"), rule("deny * *", conditions)], request, at)
    return allow.allowed, not deny.allowed


TRUE = (True, True)
FALSE = (False, False)
ERROR = (False, True)


def truth(op, value, actual, **more):
    """What comes of one comparison with ``actual`` at ``input.x``."""
    return holds({"path": "input.x", "op": op, "value": value, **more}, {"x": actual})


def refusals(conditions=None, text="allow * *", **more):
    """The codes with which a rule is refused, by path; empty if it is not."""
    try:
        pdp.check_rule(rule(text, conditions, **more))
    except pdp.PolicyInvalid as invalid:
        return {problem.path: problem.code for problem in invalid.problems}
    return {}
