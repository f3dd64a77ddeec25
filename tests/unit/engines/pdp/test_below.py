"""Lists of templates: judged by how the targets begin that they can become."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import strategies as st

from agentxsuite.engines import pdp
from tests.unit.engines.pdp.building import NOON, call, compiled, policy, rule
from tests.unit.engines.pdp.strategies import SEGMENTS, for_all, numbered, policies, requests

POLICY_LISTS = st.lists(policies(), max_size=3).map(numbered)
READ = {"action": "resource.read"}


ALL = "allow resource.read resource:**"


def placed(*listed):
    made = [each if isinstance(each, pdp.Policy) else policy(each) for each in listed]
    return compiled(*(replace(each, id=f"p{at}") for at, each in enumerate(made)))


def below(target, *listed, at=NOON, **more):
    return pdp.could_allow_below(placed(*listed), call(target, **READ | more), at)


def outlined(*listed, target="resource:a", at=NOON, **more):
    return pdp.outline(placed(*listed), call(target, **READ | more), at)


@for_all(POLICY_LISTS, requests(), st.lists(SEGMENTS, max_size=2))
def test_nothing_is_hidden_that_could_be_allowed(listed, request, rest):
    """Losing this, an agent does not find what it may read."""
    longer = replace(request, target="/".join([request.target, *rest]))
    if pdp.decide(compiled(*listed), longer, NOON).allowed:
        assert pdp.could_allow_below(compiled(*listed), request, NOON)


@pytest.mark.parametrize(
    ("target", "allow", "seen"),
    [
        ("resource:a", "resource:*", True),
        ("resource:a", "*", True),
        ("resource:a", "tool:*", False),
        ("resource:a", "resource:a", True),
        ("resource:a", "resource:a/b/c", True),
        ("resource:a", "resource:*/b", True),
        ("resource:a", "resource:b/**", False),
        ("resource:a", "resource:ab/c", False),
        ("resource:a/b", "resource:a", False),
        ("resource:a/b", "resource:a/**", True),
        ("resource:a/b", "resource:a/*", True),
        ("resource:a/b", "resource:*/c", False),
        ("resource:a/b", "resource:*/b/c", True),
        ("resource:a/b", "resource:a/b/c/d*", True),
        ("resource:a/b", "resource:a/b*/x", True),
        ("resource:a/b", "resource:a/c*/x", False),
        ("resource:a/b/c", "resource:*/*/d*", False),
        ("resource:a/b/c", "resource:*/b", False),
    ],
)
def test_an_allow_counts_if_something_below_is_covered(target, allow, seen):
    """Losing this, templates are shown that lead nowhere, or hidden that lead somewhere."""
    assert below(target, f"allow resource.read {allow}") is seen


@pytest.mark.parametrize(
    ("deny", "seen"),
    [
        ("resource:a/b/**", False),
        ("resource:a/**", False),
        ("*", False),
        ("resource:a/b", True),
        ("resource:a/b/c/**", True),
        ("resource:a/b/*", True),
    ],
)
def test_a_deny_hides_what_it_surely_covers(deny, seen):
    """Losing this, what nobody may ever read is advertised."""
    rules = ("allow resource.read resource:*", f"deny resource.read {deny}")
    assert below("resource:a/b", *rules) is seen


def test_conditions_on_what_is_not_known_yet_leave_it_open():
    """Losing this, a condition is judged by a target that nobody named."""
    for path in ("input.uri", "request.target"):
        ends = {"path": path, "op": "suffix", "value": "x"}
        allow = policy(pdp.Rule("1", "", 0, "resource.read", "resource:*", "allow", ends), name="a")
        deny = policy(pdp.Rule("2", "", 0, "resource.read", "*", "deny", ends), name="d")
        assert below("resource:a", allow)
        assert below("resource:a", allow, deny)
    known = {"path": "env.type", "op": "eq", "value": "prod"}
    allow = policy(pdp.Rule("1", "", 0, "resource.read", "resource:*", "allow", known))
    for kind, seen in (("prod", True), ("dev", False)):
        assert below("resource:a", allow, attributes={"env": {"type": kind}}) is seen


def test_what_is_known_of_the_request_and_the_hour_is_judged():
    """Losing this, a list shows what is closed at this door or hour, or breaks over such a rule."""
    door = {"path": "request.door", "op": "eq", "value": "mcp"}
    hours = {"path": "request.time", "op": "time_between", "value": ["08:00", "13:00"]}
    for condition in (door, hours, {"all": [door, hours]}):
        allow = policy(rule("allow resource.read resource:*", condition))
        deny = policy(rule("deny resource.read *", condition))
        for kind, at in product(("mcp", "rest"), (NOON, NOON + timedelta(hours=2))):
            holds = (condition is hours or kind == "mcp") and (condition is door or at == NOON)
            asked = {"attributes": {"request": {"door": kind}}, "at": at}
            assert below("resource:a", allow, **asked) is holds
            assert below("resource:a", ALL, deny, **asked) is not holds
            assert bool(outlined(allow, **asked)) is holds
            assert bool(outlined(ALL, deny, **asked)) is not holds


def test_namespaces_further_down_count():
    """Losing this, a folder that is open by a binding is not found."""
    inside = policy("allow resource.read resource:*", bind=("resource_ns:a/b/c",))
    assert below("resource:a/b", inside)
    assert not below("resource:a/bb", inside)
    assert not below("resource:a/b", policy("allow tool.invoke *"))


def test_what_cannot_be_meant_honestly_is_hidden():
    """Losing this, a template that leads out of its folder is shown."""
    assert not below("resource:a/../b", "allow resource.read *")
    assert not below("resource:a", "allow resource.read *", organization="other")


@pytest.mark.parametrize(
    "more",
    [
        "deny resource.read resource:a/b",
        "deny resource.* resource:*/b",
        "deny * *",
        "allow resource.read resource:a/b",
        policy("deny resource.read resource:**", bind=("resource_ns:a/b",)),
        policy("deny resource.read resource:**", bind=("user:u",)),
    ],
)
def test_the_outline_is_another_where_a_rule_may_matter(more):
    """Losing this, nobody hears that they may read something else now."""
    asked = {"agent": "a1", "user": "u"}
    assert outlined(ALL, **asked) != outlined(ALL, more, **asked)


@pytest.mark.parametrize(
    "more",
    [
        "deny resource.read resource:b/**",
        "deny tool.invoke resource:a/b",
        "deny tool.invoke tool:a/b",
        ALL,
        policy("deny resource.read resource:**", bind=("resource_ns:b/a",)),
        policy("deny resource.read resource:**", bind=("user:v",)),
        policy("allow resource.read resource:a/x", bind=("user:u",)),
    ],
)
def test_the_outline_is_the_same_where_no_rule_matters(more):
    """Losing this, everybody is told of every edit."""
    asked = {"agent": "a1", "user": "u"}
    assert outlined(ALL, **asked) == outlined(ALL, more, **asked) != frozenset()


def test_a_binding_that_moves_is_another_outline():
    """Losing this, a folder that is closed instead of another one is not told of."""
    first, second = (
        policy("deny resource.read resource:**", bind=(f"resource_ns:a/{each}",)) for each in "bc"
    )
    assert outlined(ALL, first) != outlined(ALL, second)


def ruled(effect, path, value, op="eq"):
    condition = {"path": path, "op": op, "value": value}
    return policy(pdp.Rule("1", "", 0, "resource.read", "resource:a/b", effect, condition))


@pytest.mark.parametrize("effect", ["allow", "deny"])
def test_conditions_that_surely_fail_are_not_in_the_outline(effect):
    """Losing this, a rule about somebody else is told to all."""
    known = {"attributes": {"env": {"type": "prod"}}}
    plain = outlined(ALL, **known)
    assert outlined(ALL, ruled(effect, "env.type", "dev"), **known) == plain
    assert outlined(ALL, ruled(effect, "env.type", "prod"), **known) != plain
    assert outlined(ALL, ruled(effect, "input.uri", "x"), **known) != plain
    assert outlined(ALL, ruled(effect, "input.uri", "x"), **known) != outlined(
        ALL, ruled(effect, "input.uri", "y"), **known
    )
    unjudged = outlined(ALL, ruled(effect, "env.type", 5, "lt"), **known)
    assert (unjudged == plain) is (effect == "allow")  # what cannot be judged closes the door


def test_where_nothing_can_be_allowed_there_is_no_outline():
    """Losing this, who may read nothing is told of denials."""
    assert outlined("deny resource.read resource:a/b") == frozenset()
    assert outlined(ALL, "deny resource.read *") == frozenset()
    assert outlined(ALL, target="resource:a/..") == frozenset()


@for_all(POLICY_LISTS, POLICY_LISTS, requests(), st.lists(SEGMENTS, max_size=2))
def test_what_is_decided_otherwise_has_another_outline(before, after, request, rest):
    """Losing this, a client keeps a list that is no longer true."""
    longer = replace(request, target="/".join([request.target, *rest]))
    one, other = compiled(*before), compiled(*after)
    if pdp.outline(one, request, NOON) == pdp.outline(other, request, NOON):
        allowed = [pdp.decide(each, longer, NOON).allowed for each in (one, other)]
        assert allowed[0] is allowed[1]
