"""The explanation of a decision."""

from dataclasses import replace

import pytest

from agentxsuite.engines import pdp
from agentxsuite.wire import dumps, loads
from tests.unit.engines.pdp.building import NOON, call, compiled, policy, rule

TOO_MUCH = {"path": "input.amount", "op": "gt", "value": 1000}


def explained(request, *policies):
    snapshot = compiled(*policies)
    decision = pdp.decide(snapshot, request, NOON)
    return pdp.explain(snapshot, request, decision, NOON)


@pytest.fixture
def payments():
    """A policy with an allow, a deny by amount, and a conditional allow."""
    extra = {"all": [{"path": "input.amount", "op": "lt", "value": 5}, {"not": TOO_MUCH}]}
    return policy(
        rule("allow * *", id="r1"),
        rule("deny * tool:pay/*", TOO_MUCH, id="r2", message="Too much."),
        rule("allow * tool:pay/*", extra, id="r3"),
        name="payments",
        id="p7",
        version=4,
    )


def test_it_tells_everything_in_plain_json(payments):
    """Losing this, nobody can find out why a call was allowed."""
    request = call("tool:pay/send", {"amount": 500})
    told = explained(request, payments).as_json()
    first = {
        "policy_id": "p7",
        "policy_name": "payments",
        "policy_version": 4,
        "rule_id": "r1",
        "rule_name": "allow * *",
        "position": 0,
        "priority": 0,
        "effect": "allow",
        "message": "",
    }
    second = {**first, "rule_id": "r2", "rule_name": "deny * tool:pay/*", "position": 1}
    second |= {"effect": "deny", "message": "Too much."}
    third = {**first, "rule_id": "r3", "rule_name": "allow * tool:pay/*", "position": 2}
    failing = {"path": "input.amount", "op": "lt", "value": 5, "outcome": "false"}
    assert told == {
        "effect": "allow",
        "reason": "explicit_allow",
        "determining": first,
        "message": "",
        "paths": [],
        "terms": pdp.DEFAULT_TERMS.as_json(),
        "matching": [first],
        "matching_count": 1,
        "near_misses": [
            {"rule": second, "failing": [{**TOO_MUCH, "outcome": "false"}]},
            {"rule": third, "failing": [failing]},
        ],
        "errors": [],
        "versions": {"p7": 4},
        "snapshot_hash": compiled(payments).snapshot_hash,
        "evaluated_at": "2026-03-04T12:00:00Z",
    }
    assert loads(dumps(told)) == told


def test_it_tells_what_could_not_be_judged(payments):
    """Losing this, a denial for a malformed argument looks like one for a forbidden argument."""
    explanation = explained(call("tool:pay/send", {"amount": "500"}), payments)
    assert [rule.rule_id for rule in explanation.matching] == ["r2", "r1"]
    assert explanation.errors == (
        pdp.Fault("r2", "input.amount", "wrong_type"),
        pdp.Fault("r3", "input.amount", "wrong_type"),
    )
    (miss,) = explanation.near_misses
    assert {(leaf.op, leaf.outcome) for leaf in miss.failing} == {
        ("lt", "wrong_type"),
        ("gt", "wrong_type"),
    }
    assert explanation.as_json()["errors"][0]["rule_id"] == "r2"


def test_nothing_matching_is_explained_by_what_nearly_did(payments):
    """Losing this, a default denial is a mystery."""
    only_deny = replace(payments, rules=payments.rules[1:])
    told = explained(call("tool:pay/send", {"amount": 7}), only_deny).as_json()
    assert (told["determining"], told["matching"], told["paths"]) == (None, [], ["input.amount"])
    assert [miss["rule"]["rule_id"] for miss in told["near_misses"]] == ["r2", "r3"]


def test_an_impossible_target_is_explained_too(payments):
    """Losing this, trying out a malformed target answers nothing."""
    told = explained(call("tool:pay/../x"), payments).as_json()
    assert told["errors"] == [{"rule_id": "", "path": "request.target", "code": "traversal"}]
    assert (told["matching"], told["versions"]) == ([], {})


def test_a_rule_bound_twice_is_told_once_under_its_best_priority():
    """Losing this, an explanation counts rules that do not exist."""
    twice = policy("allow * *", bind=["org:o 1", "agent:a 5", "env:e 3"])
    explanation = explained(call(), twice)
    assert [rule.priority for rule in explanation.matching] == [5]
    assert explanation.matching_count == 1


def test_rules_that_ask_for_an_unknown_input_say_so(payments):
    """Losing this, a page of what an agent may do cannot say that it depends."""
    asked = call("tool:pay/send")
    decision = pdp.decide(compiled(payments), asked, NOON)
    unknown = replace(asked, input=pdp.UNKNOWN)
    explanation = pdp.explain(compiled(payments), unknown, decision, NOON)
    assert [rule.rule_id for rule in explanation.matching] == ["r1", "r3"]
    assert explanation.near_misses[0].failing[0].outcome == "unknown_input"


def test_fifty_rules_are_enough_to_give_the_same_terms():
    """Losing this, an explanation of many rules leaves out the one that sets the limit."""
    plain = [rule("allow * *", id=f"r{n}", terms={"rate": {"per_minute": 90}}) for n in range(80)]
    strict = [
        {"timeout": 3},
        {"rate": {"per_minute": 2, "burst": 90}},
        {"rate": {"per_minute": 90, "burst": 4}},
        {"redact": ["input.a"]},
        {"redact": ["input.b", "input.a"]},
    ]
    last = [rule("allow * *", id=f"s{n}", terms=terms) for n, terms in enumerate(strict)]
    many = policy(*plain, *last)
    explanation = explained(call(), many)
    shown = [rule.rule_id for rule in explanation.matching]
    assert (len(shown), explanation.matching_count, shown[0]) == (50, 85, "r0")
    alone = replace(many, rules=tuple(rule for rule in many.rules if rule.id in shown))
    again = pdp.decide(compiled(alone), call(), NOON)
    assert again == explanation.decision
    assert again.terms == pdp.Terms(3.0, pdp.Rate(2, 4), ("input.a", "input.b"))


def test_fifty_denies_come_before_any_allow():
    """Losing this, the rules that denied are crowded out of the explanation."""
    denies = [rule("deny * *", id=f"d{n}") for n in range(60)]
    explanation = explained(call(), policy("allow * *", *denies))
    assert {rule.effect for rule in explanation.matching} == {"deny"}
    assert (len(explanation.matching), explanation.matching_count) == (50, 61)
