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


def test_an_unchanged_version_is_not_read_again():
    """Losing this, one edit of one policy costs the reading of ten thousand rules."""
    kept, edited = policy("allow * *", name="a", id="a"), policy("deny * *", name="b", id="b")
    before = compiled(kept, edited)
    after = compiled(kept, replace(edited, version=2), previous=before)
    assert after.compiled["a", 1] is before.compiled["a", 1]
    assert after.compiled["b", 2] is not before.compiled["b", 1]
    assert after.versions == {"a": 1, "b": 2}


def test_bindings_are_read_afresh():
    """Losing this, taking a policy away from an agent waits for its next version."""
    first = policy("allow * *", bind=["agent:a"])
    moved = replace(first, bindings=(binding("agent:b"),))
    assert not pdp.decide(compiled(moved, previous=compiled(first)), call(), NOON).allowed


def test_a_removed_policy_is_gone():
    """Losing this, a deleted policy goes on allowing."""
    before = compiled(policy("allow * *"))
    assert not pdp.decide(compiled(previous=before), call(), NOON).allowed


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
