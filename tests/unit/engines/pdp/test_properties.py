"""What must hold for any policies and any request."""

from dataclasses import replace

from hypothesis import strategies as st

from agentxsuite.engines import pdp
from tests.unit.engines.pdp import naive
from tests.unit.engines.pdp.building import NOON, call, policy, rule
from tests.unit.engines.pdp.strategies import (
    CONDITIONS,
    POLICY_LISTS,
    SEGMENTS,
    WILD_SEGMENTS,
    compiled,
    decided,
    for_all,
    inputs,
    policies,
    requests,
    rules,
)

ALLOWS = policies(st.lists(rules(effects=("allow",)), max_size=4))
DENIES = policies(st.lists(rules(effects=("deny",)), max_size=4))


def answer(decision):
    best = decision.determining
    determining = best and (best.policy_id, best.rule_id)
    terms = decision.terms.as_json() if decision.allowed else None
    return decision.effect, decision.reason, determining, terms


@for_all(POLICY_LISTS, requests())
def test_index_answers_like_the_plain_reading(listed, request):
    """Losing this, fast decisions are not the decisions that the rules say."""
    assert answer(decided(listed, request)) == naive.judge(listed, request, NOON)


@for_all(POLICY_LISTS, requests(input=pdp.UNKNOWN))
def test_lists_answer_like_the_plain_reading(listed, request):
    """Losing this, a list shows tools that can never be called, or hides ones that can."""
    expected = naive.judge(listed, request, NOON)[0] == "allow"
    assert pdp.could_allow(compiled(listed), request, NOON) == expected


@for_all(POLICY_LISTS, requests(), st.randoms())
def test_order_is_irrelevant(listed, request, random):
    """Losing this, the order in which a database returns rows decides who gets in."""
    shuffled = [replace(each, rules=_shuffled(each.rules, random)) for each in listed]
    shuffled = _shuffled(shuffled, random)
    assert answer(decided(listed, request)) == answer(decided(shuffled, request))


def _shuffled(items, random):
    copy = list(items)
    random.shuffle(copy)
    return tuple(copy)


@for_all(POLICY_LISTS, DENIES, requests())
def test_another_deny_never_grants(listed, deny, request):
    """Losing this, forbidding something could permit something else."""
    if not decided(listed, request).allowed:
        assert not decided([*listed, deny], request).allowed


@for_all(POLICY_LISTS, ALLOWS, requests())
def test_another_allow_never_denies(listed, allow, request):
    """Losing this, permitting something could break what worked."""
    if decided(listed, request).allowed:
        assert decided([*listed, allow], request).allowed


@for_all(POLICY_LISTS, ALLOWS, requests())
def test_another_allow_never_loosens_a_term(listed, allow, request):
    """Losing this, adding a rule lifts a limit that another rule promised."""
    before, after = decided(listed, request), decided([*listed, allow], request)
    if before.allowed:
        assert before.terms.tightened(after.terms) == after.terms


@for_all(POLICY_LISTS, policies(bindings=(pdp.Binding("agent", "somebody", 9),)), requests())
def test_rules_bound_elsewhere_are_irrelevant(listed, other, request):
    """Losing this, one team's rules reach another team's agents."""
    assert answer(decided(listed, request)) == answer(decided([*listed, other], request))


@for_all(POLICY_LISTS, requests(), st.randoms())
def test_priority_never_changes_the_effect(listed, request, random):
    """Losing this, an environment's admin can out-rank the organization's deny."""
    moved = [
        replace(
            each,
            bindings=tuple(
                replace(binding, priority=random.randint(-5, 5)) for binding in each.bindings
            ),
        )
        for each in listed
    ]
    before, after = decided(listed, request), decided(moved, request)
    assert (before.effect, before.reason, before.terms) == (after.effect, after.reason, after.terms)


@for_all(requests())
def test_no_policies_deny(request):
    """Losing this, an organization without policies is open to everybody."""
    decision = decided([], request)
    assert (decision.allowed, decision.reason) == (False, "default_deny")


@for_all(CONDITIONS, requests(), st.randoms())
def test_order_within_a_condition_is_irrelevant(condition, request, random):
    """Losing this, a rule means something else when its author sorts its lines."""
    assert _truth(condition, request) == _truth(_reordered(condition, random), request)


def _truth(condition, request):
    return [decided([_open(effect, condition)], request).allowed for effect in ("allow", "deny")]


def _open(effect, condition):
    """A policy in which only the condition stands in the way."""
    one = rule(f"{effect} * *", condition)
    return policy(one, "allow * *") if effect == "deny" else policy(one)


def _reordered(condition, random):
    for name in ("all", "any"):
        if name in condition:
            children = [_reordered(child, random) for child in condition[name]]
            return {name: list(_shuffled(children, random))}
    if "not" in condition:
        return {"not": _reordered(condition["not"], random)}
    return dict(_shuffled(condition.items(), random))


@for_all(CONDITIONS, requests())
def test_an_error_in_a_deny_never_yields_an_allow(condition, request):
    """Losing this, malformed arguments slip past the rule written against them."""
    decision = decided([_open("deny", condition)], request)
    erring = "e" in naive._truth(condition, request, NOON)
    assert not (erring and decision.allowed)


@for_all(
    st.lists(SEGMENTS, min_size=1, max_size=3),
    st.lists(WILD_SEGMENTS, min_size=1, max_size=3),
    st.data(),
)
def test_a_wider_pattern_covers_what_a_narrower_does(target, pattern, data):
    """Losing this, widening a rule drops something it covered before."""
    wider = list(pattern)
    at = data.draw(st.integers(0, len(pattern) - 1))
    wider[at:] = data.draw(st.sampled_from((["*", *pattern[at + 1 :]], ["**"])))
    if _covers(pattern, target):
        assert _covers(wider, target)


def _covers(pattern, target):
    only = policy(rule("allow * *", target="tool:" + "/".join(pattern)))
    return decided([only], call("tool:" + "/".join(target))).allowed


@for_all(POLICY_LISTS, requests(), st.lists(inputs(), max_size=5))
def test_what_no_list_shows_no_call_may_do(listed, request, arguments):
    """Losing this, agents can call tools that their list hides from them."""
    if not pdp.could_allow(compiled(listed), replace(request, input=pdp.UNKNOWN), NOON):
        for each in [request.input, *arguments]:
            assert not decided(listed, replace(request, input=each)).allowed


@for_all(POLICY_LISTS, requests())
def test_what_a_list_shows_may_be_called_where_no_rule_asks_for_input(listed, request):
    """Losing this, agents see tools that no arguments make callable."""
    blind = [
        replace(
            each, rules=tuple(rule for rule in each.rules if "input" not in str(rule.conditions))
        )
        for each in listed
    ]
    listing = pdp.could_allow(compiled(blind), replace(request, input=pdp.UNKNOWN), NOON)
    assert listing == decided(blind, request).allowed


@for_all(POLICY_LISTS, requests())
def test_an_explanation_explains_itself(listed, request):
    """Losing this, the rules an auditor is shown are not those that decided."""
    snapshot = compiled(listed)
    decision = pdp.decide(snapshot, request, NOON)
    explanation = pdp.explain(snapshot, request, decision, NOON)
    shown = {(rule.policy_id, rule.rule_id) for rule in explanation.matching}
    alone = [
        replace(each, rules=tuple(rule for rule in each.rules if (each.id, rule.id) in shown))
        for each in listed
    ]
    assert answer(decided(alone, request)) == answer(decision)


@for_all(POLICY_LISTS, requests())
def test_what_evaluate_shows_is_what_is_enforced(listed, request):
    """Losing this, trying a call out answers something else than making it."""
    snapshot = compiled(listed)
    decision = pdp.decide(snapshot, request, NOON)
    shown = pdp.explain(snapshot, request, decision, NOON).as_json()
    matched = [rule for rule in shown["matching"] if rule["effect"] == decision.effect]
    assert shown["effect"] == decision.effect
    assert bool(matched) == (decision.determining is not None)
    if decision.determining:
        assert decision.determining.as_json() in matched


@for_all(POLICY_LISTS, POLICY_LISTS, requests())
def test_an_edited_snapshot_answers_like_a_fresh_one(before, after, request):
    """Losing this, an edited policy leaves traces of what it was."""
    after = [replace(each, version=2) for each in after]
    kept = {each.id for each in after[:1]}
    changed = {each.id for each in [*before, *after]} - kept
    previous = compiled([*(each for each in before if each.id not in kept), *after[:1]])
    again = previous.edited([each for each in after if each.id not in kept], changed)
    fresh = compiled(after)
    assert pdp.decide(again, request, NOON) == pdp.decide(fresh, request, NOON)
    assert (again.snapshot_hash, again.versions) == (fresh.snapshot_hash, fresh.versions)
