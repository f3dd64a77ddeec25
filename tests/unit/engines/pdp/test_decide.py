"""Decisions beyond the matrix: refusals to decide, and what a decision tells."""

from dataclasses import replace

import pytest

from agentxsuite.engines import pdp
from tests.unit.engines.pdp.building import NOON, call, compiled, decide, policy, rule


def test_a_call_is_never_decided_without_its_input():
    """Losing this, a call slips through on what its arguments could have been."""
    with pytest.raises(ValueError, match="needs the input"):
        decide(["allow * *"], replace(call(), input=pdp.UNKNOWN))


def test_a_list_does_not_look_at_an_input_it_is_given():
    """Losing this, what a list shows depends on arguments nobody has yet."""
    snapshot = compiled(policy(rule("allow * *", {"path": "input.x", "op": "eq", "value": 1})))
    assert pdp.could_allow(snapshot, call(input_={"x": 2}), NOON)
    assert pdp.could_allow(snapshot, replace(call(), input=pdp.UNKNOWN), NOON)


@pytest.mark.parametrize("elsewhere", [{"organization": "b"}, {"environment": "f"}])
def test_policies_of_another_environment_decide_nothing(elsewhere):
    """Losing this, a mix-up of snapshots opens one organization with another's rules."""
    decision = decide([policy("allow * *", bind=["org:b", "env:f", "agent:a"])], call(**elsewhere))
    assert (decision.allowed, decision.reason) == (False, "default_deny")
    assert decision.errors == (pdp.Fault("", "request", "foreign_snapshot"),)


def test_a_decision_names_its_rule_as_it_was():
    """Losing this, the audit cannot tell which rule of which version decided."""
    told = rule("deny * *", id="r7", name="no", message="Ask Ann.")
    decision = decide(
        [policy("allow * *", told, name="n", id="p7", version=3, bind=["org:o 4"])], call()
    )
    assert decision.determining == pdp.RuleRef("p7", "n", 3, "r7", "no", 1, 4, "deny", "Ask Ann.")
    assert decision.determining.as_json()["priority"] == 4
    assert (decision.message, decision.terms) == ("Ask Ann.", pdp.DEFAULT_TERMS)


def test_an_unexplained_denial_has_no_message():
    """Losing this, a caller is given a reason that no author wrote."""
    decision = decide([], call())
    assert (decision.determining, decision.message, decision.paths) == (None, "", ())


def test_a_rule_bound_twice_is_judged_as_one():
    """Losing this, binding a policy twice reports its faults twice."""
    twice = policy(
        rule("allow * *", {"path": "input.x", "op": "eq", "value": 1}),
        bind=["org:o 1", "agent:a 2"],
    )
    assert decide([twice], call()).errors == (pdp.Fault("allow * *", "input.x", "missing_path"),)
    assert decide([twice], call(input_={"x": 1})).determining.priority == 2


def test_an_allow_tells_the_faults_it_met():
    """Losing this, a rule that never works goes unnoticed while others allow."""
    broken = rule("allow * *", {"path": "input.x", "op": "eq", "value": 1}, id="broken")
    decision = decide([broken, rule("allow * *", id="fine")], call())
    assert (decision.allowed, decision.determining.rule_id) == (True, "fine")
    assert decision.errors == (pdp.Fault("broken", "input.x", "missing_path"),)


def test_paths_reach_through_every_connective():
    """Losing this, a caller is told of arguments that had no part in the denial."""
    guilty = {"path": "input.a", "op": "gt", "value": 5}
    innocent = {"path": "input.b", "op": "gt", "value": 5}
    condition = {"not": {"not": {"any": [{"all": [guilty, guilty]}, {"all": [innocent]}]}}}
    decision = decide(["allow * *", rule("deny * *", condition)], call(input_={"a": 9, "b": 1}))
    assert (decision.reason, decision.paths) == ("explicit_deny", ("input.a",))


def test_a_default_denial_points_at_the_nearest_rule():
    """Losing this, a caller with one wrong argument is only told no."""
    near = policy(
        rule("allow * *", {"path": "input.near", "op": "eq", "value": 1}), bind=["org:o 9"]
    )
    far = policy(rule("allow * *", {"path": "input.far", "op": "eq", "value": 1}), name="q", id="q")
    decision = decide([far, near], call(input_={"near": 2, "far": 2}))
    assert (decision.reason, decision.paths) == ("default_deny", ("input.near",))


def test_faults_are_plain_json_too():
    """Losing this, a fault cannot be recorded."""
    fault = pdp.Fault("r", "input.x", "wrong_type")
    assert fault.as_json() == {"rule_id": "r", "path": "input.x", "code": "wrong_type"}
