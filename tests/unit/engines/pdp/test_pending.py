"""What a decision hangs on before the call: its input, and whatever else nobody knows yet."""

import pytest

from agentxsuite.engines import pdp
from agentxsuite.engines.pdp.conditions import leaves
from tests.unit.engines.pdp.building import NOON, call, compiled, policy, rule

SMALL = {"path": "input.amount", "op": "lt", "value": 9}
FAR = {"path": "context.ip", "op": "ne", "value": "10.0.0.1"}
HERE = {"path": "env.type", "op": "eq", "value": "prod"}
ATTRIBUTES = {"env": {"type": "prod"}, "context": {"ip": pdp.UNKNOWN}}


def pending(*rules, **more):
    """The rules by name and the paths, or None."""
    policies = [each if isinstance(each, pdp.Policy) else policy(each) for each in rules]
    found = pdp.pending(compiled(*policies), call(attributes=ATTRIBUTES, **more), NOON)
    return found and ([each.rule_name for each in found.rules], list(found.paths))


def named(name, text, conditions=None, **more):
    return policy(rule(text, conditions, id=name, name=name), id=name, **more)


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [named("all", "allow * *")],
        [named("here", "allow * *", HERE)],
        [named("all", "allow * *"), named("no", "deny * *")],
        [named("small", "allow * *", SMALL), named("no", "deny * *", HERE)],
        [named("all", "allow * *"), named("small", "allow * *", SMALL)],
        [named("all", "allow * *"), named("never", "deny * *", {"not": HERE})],
    ],
)
def test_nothing_is_pending_where_every_call_ends_alike(rules):
    """Otherwise: somebody looks for arguments that would make a difference, and none do."""
    assert pending(*rules) is None
    assert pending(*rules, input_={"amount": 10}) is None


@pytest.mark.parametrize(
    ("condition", "paths"),
    [
        (SMALL, ["input.amount"]),
        ({"all": [HERE, SMALL, FAR]}, ["input.amount", "context.ip"]),
        ({"not": {"any": [FAR, SMALL, FAR]}}, ["context.ip", "input.amount"]),
    ],
)
def test_what_is_unknown_is_named(condition, paths):
    """Otherwise: somebody reads that it depends, and not on what."""
    assert pending(named("some", "allow * *", condition)) == (["some"], paths)
    denied = pending(named("all", "allow * *"), named("some", "deny * *", condition))
    assert denied == (["some"], paths)


def test_denials_come_first_and_of_each_the_higher_priority():
    """Otherwise: the rule that is shown is not the one that decides."""
    rules = [
        named("low", "allow * *", SMALL),
        named("high", "allow * *", FAR, bind=["org:o 5"]),
        named("no", "deny * *", SMALL),
        named("never", "allow * *", {"not": HERE}, bind=["org:o 9"]),
    ]
    assert pending(*rules) == (["no", "high", "low"], ["input.amount", "context.ip"])


def test_a_rule_that_another_one_makes_needless_is_not_named():
    """Otherwise: an argument seems to matter that no decision looks at."""
    rules = [named("all", "allow * *"), named("small", "allow * *", SMALL)]
    assert pending(*rules, named("no", "deny * *", FAR)) == (["no"], ["context.ip"])


def test_a_deny_that_only_errs_is_named():
    """Otherwise: a rule that closes the door for most calls is not shown."""
    odd = {"all": [SMALL, {"path": "principal.user", "op": "eq", "value": 1}]}
    found = pending(named("all", "allow * *"), named("odd", "deny * *", odd))
    assert found == (["odd"], ["input.amount"])


def test_a_rule_without_a_condition_looks_at_nothing():
    """Otherwise: asking what a rule looks at ends in a defect."""
    assert list(leaves(None)) == []


def test_the_time_is_known():
    """Otherwise: a rule is shown as pending that does not hold at this hour."""
    hours = {"path": "request.time", "op": "time_between", "value": ["11:00", "13:00"]}
    noon, night = {"all": [SMALL, hours]}, {"all": [FAR, {"not": hours}]}
    found = pending(named("noon", "allow * *", noon), named("night", "allow * *", night))
    assert found == (["noon"], ["input.amount"])
    assert pending(named("night", "allow * *", night)) is None
