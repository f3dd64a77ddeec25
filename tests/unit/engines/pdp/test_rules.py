"""Rules and policies as a whole, when they are written."""

from dataclasses import replace

import pytest

from agentxsuite.engines import pdp
from tests.unit.engines.pdp.building import binding, policy, refusals, rule


def problems(written):
    with pytest.raises(pdp.PolicyInvalid) as refused:
        pdp.check_policy(written)
    return {problem.path: problem.code for problem in refused.value.problems}


def test_every_problem_of_a_rule_is_told_at_once():
    """Losing this, an author corrects a rule one refusal after another."""
    found = refusals(
        {"path": "x", "op": "eq", "value": 1},
        text="allow a* tool:",
        terms={"timeout": 0},
    )
    assert found == {
        "/action": "bad_action",
        "/target": "empty_segment",
        "/conditions": "unknown_root",
        "/terms/timeout": "bad_timeout",
    }
    assert refusals(text="Allow * *") == {"/effect": "bad_effect"}


def test_problems_of_a_policy_tell_the_rule():
    """Losing this, an author of 100 rules has to guess which one is wrong."""
    written = policy("allow * *", "allow a* *", bind=["org:o", "agent:", "team:x"])
    assert problems(written) == {
        "/rules/1/action": "bad_action",
        "/bindings/1": "bad_scope",
        "/bindings/2": "unknown_scope",
    }


def test_a_problem_can_be_read():
    """Losing this, logs say that something was wrong and not what."""
    with pytest.raises(
        pdp.PolicyInvalid, match=r"^/action: an action is .*; /target: a segment is"
    ):
        pdp.check_rule(rule("allow a* tool:"))


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("resource_ns:a*", "bad_namespace"),
        ("resource_ns:*", "bad_namespace"),
        ("resource_ns:a//b", "empty_segment"),
        ("resource_ns:a/..", "traversal"),
        ("resource_ns:a/", "empty_segment"),
        ("resource_ns:", "bad_scope"),
        ("everyone:x", "unknown_scope"),
    ],
)
def test_a_binding_that_could_never_hold_is_refused(scope, code):
    """Losing this, a deny is bound to a place that does not exist."""
    assert problems(policy(bind=[scope])) == {"/bindings/0": code}


def test_a_binding_without_an_id_is_refused():
    """Losing this, a binding whose subject was forgotten is stored."""
    written = replace(policy(), bindings=(replace(binding("user:u"), scope_id=None),))
    assert problems(written) == {"/bindings/0": "bad_scope"}


def test_at_most_500_rules():
    """Losing this, one policy slows the recompilation of all."""
    pdp.check_policy(policy(*["allow * *"] * 500))
    assert problems(policy(*["allow a* *"] * 501)) == {"/rules": "too_many_rules"}


@pytest.mark.parametrize("scope", ["org:o", "env:e", "agent:a", "tool:t", "role:r", "user:u",
                                   "resource_ns:a/b%2Fc", "agent:a*"])  # fmt: skip
def test_every_scope_can_be_bound(scope):
    """Losing this, a policy cannot be placed where the documentation says."""
    pdp.check_policy(policy("deny * *", bind=[scope]))
