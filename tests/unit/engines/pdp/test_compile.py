"""Snapshots: what is in them, what is reused, and that they fail closed."""

from dataclasses import replace

import pytest

from agentxsuite.engines import pdp
from tests.unit.engines.pdp.building import NOON, binding, call, compiled, policy, rule


def test_a_stored_rule_that_cannot_be_enforced_stops_the_snapshot():
    """Losing this, a deny that got damaged in the database simply disappears."""
    damaged = policy("allow * *", rule("deny * tool:pay/*", {"path": "input.x"}), id="p1")
    with pytest.raises(pdp.PolicyInvalid) as refused:
        compiled(damaged)
    assert [problem.path for problem in refused.value.problems] == [
        "/policies/p1/rules/1/conditions"
    ]


def test_a_stored_binding_that_cannot_hold_stops_the_snapshot():
    """Losing this, a deny bound by a mistyped scope simply disappears."""
    with pytest.raises(pdp.PolicyInvalid) as refused:
        compiled(policy("deny * *", bind=["org:o", "orgs:o"]))
    assert refused.value.problems[0].path == "/policies/p/bindings/1"


def test_what_does_not_concern_this_environment_cannot_stop_it():
    """Losing this, one organization's damaged rule denies everybody's calls."""
    damaged = policy("allow nonsense* *")
    others = [
        replace(damaged, organization="other"),
        replace(damaged, environment="other"),
        replace(damaged, active=False),
    ]
    assert compiled(*others).versions == {}


def test_an_edit_reads_only_what_it_changes():
    """Losing this, one edit of one policy costs the reading of ten thousand rules."""
    kept, edited = policy("allow * *", name="a", id="a"), policy("deny * *", name="b", id="b")
    before = compiled(kept, edited)
    after = before.edited([replace(edited, version=2)], {"b"})
    assert after.compiled["a"] is before.compiled["a"]
    assert after.compiled["b"] is not before.compiled["b"]
    assert after.versions == {"a": 1, "b": 2}
    assert before.versions == {"a": 1, "b": 1}


def test_an_edit_leaves_the_set_before_as_it_was():
    """Losing this, a call in flight is decided half by the old rules and half by the new."""
    before = compiled(policy("allow * *", name="a"), policy("allow * *", name="b"))
    after = before.edited([policy("deny * *", name="b")], ["b"])
    assert pdp.decide(before, call(), NOON).allowed
    assert not pdp.decide(after, call(), NOON).allowed


def test_a_policy_can_be_bound_elsewhere():
    """Losing this, taking a policy away from an agent leaves it where it was."""
    first = policy("allow * *", bind=["agent:a"])
    after = compiled(first).edited([replace(first, bindings=(binding("agent:b"),))], ["p"])
    assert not pdp.decide(after, call(), NOON).allowed
    assert pdp.decide(after, call(agent="b"), NOON).allowed


def test_a_removed_policy_is_gone():
    """Losing this, a deleted policy goes on allowing."""
    after = compiled(policy("allow * *")).edited([], ["p"])
    assert not pdp.decide(after, call(), NOON).allowed
    assert (after.versions, after.index) == ({}, {})


def test_a_policy_that_is_switched_off_is_gone():
    """Losing this, a policy that was edited away goes on allowing."""
    allowing = policy("allow * *")
    after = compiled(allowing).edited([replace(allowing, active=False)], ["p"])
    assert after.index == {}


def test_a_new_policy_can_be_added():
    """Losing this, a policy counts only from the next start on."""
    after = compiled().edited([policy("allow * *")], ["p"])
    assert pdp.decide(after, call(), NOON).allowed


def test_an_edit_keeps_the_rules_beside_it():
    """Losing this, editing one policy takes another's rule on the same tool away."""
    first, second = (policy("allow * tool:pdf/*", name=name) for name in "ab")
    after = compiled(first, second).edited([], ["b"])
    assert after.versions == {"a": 1}
    assert pdp.decide(after, call(), NOON).determining.policy_id == "a"


def test_an_edit_that_cannot_be_enforced_stops_the_snapshot():
    """Losing this, a deny that got damaged in the database simply disappears."""
    with pytest.raises(pdp.PolicyInvalid):
        compiled().edited([policy("allow nonsense* *")], ["p"])


def test_faults_are_told_in_the_same_order_after_an_edit():
    """Losing this, two workers explain the same refusal differently."""
    broken = {"path": "input.x", "op": "eq", "value": 1}
    first, second = (policy(rule("deny * *", broken), name=name) for name in "ab")
    edited = compiled(first, second).edited([first], ["a"])
    for listed in (edited, compiled(second, first), compiled(first, second)):
        shelf = listed.index["org:o"]
        assert [[rule.policy.id for _, rule in filed] for filed in shelf.values()] == [["a", "b"]]


def test_hash_names_the_content():
    """Losing this, an auditor cannot tell by which rules a decision was made."""
    one, two = policy("allow * *", name="a", id="a"), policy("deny * *", name="b", id="b")
    assert compiled(one, two).snapshot_hash == compiled(two, one).snapshot_hash
    changed = [
        compiled(one),
        compiled(one, replace(two, version=2)),
        compiled(one, replace(two, bindings=(binding("org:o 1"),))),
        compiled(one, replace(two, rules=(rule("deny * tool:*"),))),
        compiled(
            one, replace(two, rules=(rule("deny * *", {"path": "env.x", "op": "eq", "value": 1}),))
        ),
        compiled(one, replace(two, rules=(rule("deny * *", message="no"),))),
        compiled(one, replace(two, name="c")),
        compiled(one, replace(two, environment="e")),
        pdp.PolicySet.compile([one, two], "o", "other"),
    ]
    hashes = {each.snapshot_hash for each in [compiled(one, two), *changed]}
    assert len(hashes) == len(changed) + 1
    assert all(len(each) == 64 for each in hashes)


def test_terms_may_be_null_in_the_database():
    """Losing this, a rule stored without terms denies every call."""
    assert pdp.decide(compiled(policy(rule("allow * *", terms=None))), call(), NOON).allowed


def test_rules_are_found_by_kind_and_nothing_else_is_remembered():
    """Losing this, a list looks at every rule, or the memory grows with what is asked for."""
    rules = ("allow * *", "allow * prompt:*", "allow * prompt:a/b", "allow * tool:a")
    made = compiled(policy(*rules, bind=("org:o", "resource_ns:a/b", "agent:a")))
    for _ in range(2):
        assert sorted(made.keys("org:o", "prompt")) == ["*", "prompt", "prompt:a/b"]
        assert made.keys("org:o", "prompt") is made.keys("org:o", "prompt")
    assert made.keys("org:o", "resource") == ["*"]
    for number in range(3):
        assert made.keys(f"resource_ns:{number}", "prompt") == []
        assert made.namespaces == ["resource_ns:a/b"]
    assert len(made._keys) == 2
    edited = made.edited([], {"p"})
    assert (edited.keys("org:o", "prompt"), edited.namespaces) == ([], [])
