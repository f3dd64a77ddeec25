"""The matrix of decisions in ``tests/decisions``: each is decided, listed and explained."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from agentxsuite.engines import pdp
from tests.unit.engines.pdp import naive
from tests.unit.engines.pdp.building import NOON, policy, rule

MATRIX = Path(__file__).parents[3] / "decisions"
REASONS = {"allow": "explicit_allow", "deny": "explicit_deny", "default": "default_deny"}
# The attribute root `tool` is written `tool_is`, because `tool` is the tool's id.
ROOTS = {"principal": "principal", "env": "env", "tool_is": "tool", "request": "request",
         "context": "context"}  # fmt: skip


def _rules(name, written):
    for number, each in enumerate(written, start=1):
        given = {"rule": each} if isinstance(each, str) else dict(each)
        more = {key: given[key] for key in ("terms", "message") if key in given}
        label = f"{name} {number}"
        yield rule(given["rule"], given.get("if"), id=label, name=label, **more)


def _policies(written):
    for name, each in written.items():
        more = {key: value for key, value in each.items() if key not in {"rules", "bind"}}
        yield policy(*_rules(name, each["rules"]), name=name, id=name, bind=each["bind"], **more)


def _request(written):
    action, target = written["call"].split(" ", 1)
    user = written.get("user")
    return pdp.Request(
        organization="o",
        environment=written.get("in", "e"),
        action=action,
        target=target,
        agent=written.get("agent", None if user else "a"),
        user=user,
        roles=tuple(written.get("roles", ())),
        tool=written.get("tool"),
        attributes={root: written[key] for key, root in ROOTS.items() if key in written},
        input=written.get("input", {}),
    )


def _matrix():
    for file in sorted(MATRIX.glob("*.yaml")):
        for case in yaml.safe_load(file.read_text(encoding="utf-8")):
            policies = list(_policies(case["policies"]))
            for number, written in enumerate(case["requests"], start=1):
                at = datetime.fromisoformat(written["at"]) if "at" in written else NOON
                name = f"{file.stem}: {case['case']} {number}"
                yield pytest.param((policies, _request(written), at, written), id=name)


@pytest.fixture(params=_matrix())
def decided(request):
    """Policies, request, instant and expectation; the snapshot and the decision."""
    policies, asked, at, expected = request.param
    snapshot = pdp.PolicySet.compile(policies, "o", asked.environment)
    return policies, asked, at, expected, snapshot, pdp.decide(snapshot, asked, at)


def test_decision_is_as_written(decided):
    """Losing this, the policy language does not mean what its documentation says."""
    *_, expected, _, decision = decided
    reason, _, by = expected["expect"].partition(" by ")
    determining = decision.determining.rule_name if decision.determining else ""
    assert (decision.reason, determining) == (REASONS[reason], by)
    assert decision.effect == ("allow" if reason == "allow" else "deny")
    assert decision.allowed == (reason == "allow")
    faults = {fault.path: fault.code for fault in decision.errors}
    actual = {"terms": decision.terms.as_json(), "paths": list(decision.paths), "errors": faults}
    actual["message"] = decision.message
    wanted = {key: expected[key] for key in actual if key in expected}
    assert {key: actual[key] for key in wanted} == wanted


def test_list_is_as_written(decided):
    """Losing this, agents see tools they cannot call, or miss tools they can."""
    _, asked, at, expected, snapshot, _ = decided
    assert pdp.could_allow(snapshot, asked, at) is expected["listed"]


def test_explanation_alone_gives_the_decision(decided):
    """Losing this, the explanation of a denial leaves out what caused it."""
    policies, asked, at, _, snapshot, decision = decided
    shown = {rule.rule_id for rule in pdp.explain(snapshot, asked, decision, at).matching}
    alone = [
        replace(each, rules=tuple(rule for rule in each.rules if rule.id in shown))
        for each in policies
    ]
    again = pdp.decide(pdp.PolicySet.compile(alone, "o", asked.environment), asked, at)
    assert again[:4] == decision[:4]


def test_plain_reading_agrees(decided):
    """Losing this, the plain reading that properties are held against is itself wrong."""
    policies, asked, at, _, _, decision = decided
    if not any(fault.path == "request.target" for fault in decision.errors):
        assert naive.judge(policies, asked, at)[:2] == decision[:2]


@pytest.mark.parametrize("file", sorted(MATRIX.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_policy_of_the_matrix_can_be_written(file):
    """Losing this, the examples people copy are refused."""
    for case in yaml.safe_load(file.read_text(encoding="utf-8")):
        for each in _policies(case["policies"]):
            pdp.check_policy(each)
