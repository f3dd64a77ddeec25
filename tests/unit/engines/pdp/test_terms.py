"""Terms as they are written and as they combine."""

import pytest

from agentxsuite.engines import pdp
from tests.unit.engines.pdp.building import refusals


@pytest.mark.parametrize(
    "terms",
    [
        None,
        {},
        {"timeout": 1},
        {"timeout": 300},
        {"timeout": 2.5},
        {"rate": {"per_minute": 1, "burst": 1_000_000}},
        {"rate": {"per_minute": 1_000_000}},
        {"redact": []},
        {"redact": ["input", "output", 'input["a b"][0].c']},
        {"redact": [f"input.a{n}" for n in range(50)]},
    ],
)
def test_terms_that_are_enforced(terms):
    """Losing this, limits within the documented range are refused."""
    assert refusals(terms=terms) == {}


@pytest.mark.parametrize(
    ("terms", "problems"),
    [
        ([1], {"/terms": "bad_terms"}),
        ("fast", {"/terms": "bad_terms"}),
        ({"timeout": 0.9}, {"/terms/timeout": "bad_timeout"}),
        ({"timeout": 301}, {"/terms/timeout": "bad_timeout"}),
        ({"timeout": "5"}, {"/terms/timeout": "bad_operand"}),
        ({"timeout": True}, {"/terms/timeout": "bad_operand"}),
        ({"timeout": float("nan")}, {"/terms/timeout": "bad_operand"}),
        ({"rate": 60}, {"/terms/rate": "bad_rate"}),
        ({"rate": {}}, {"/terms/rate": "bad_rate"}),
        ({"rate": {"burst": 5}}, {"/terms/rate": "bad_rate"}),
        ({"rate": {"per_minute": 0}}, {"/terms/rate": "bad_rate"}),
        ({"rate": {"per_minute": 1_000_001}}, {"/terms/rate": "bad_rate"}),
        ({"rate": {"per_minute": 1.5}}, {"/terms/rate": "bad_rate"}),
        ({"rate": {"per_minute": True}}, {"/terms/rate": "bad_rate"}),
        ({"rate": {"per_minute": 5, "burst": 0}}, {"/terms/rate": "bad_rate"}),
        ({"rate": {"per_minute": 5, "per_hour": 5}}, {"/terms/rate": "bad_rate"}),
        ({"redact": "input.a"}, {"/terms/redact": "bad_operand"}),
        ({"redact": ["principal.id"]}, {"/terms/redact": "unknown_root"}),
        ({"redact": ["input.a", 5]}, {"/terms/redact": "bad_path"}),
        ({"redact": ["input.a"] * 51}, {"/terms/redact": "list_size"}),
        ({"approval": ["security"]}, {"/terms/approval": "term_not_enforced"}),
        ({"quota": 5}, {"/terms/quota": "unknown_term"}),
        (
            {"timeout": 0, "quota": 5},
            {"/terms/timeout": "bad_timeout", "/terms/quota": "unknown_term"},
        ),
    ],
)
def test_terms_that_nobody_could_keep_are_refused(terms, problems):
    """Losing this, a rule promises a limit that nothing enforces."""
    assert refusals(terms=terms) == problems


def test_a_deny_has_no_terms():
    """Losing this, an author believes that a denied call is merely slowed down."""
    assert refusals(text="deny * *", terms={"timeout": 5}) == {"/terms": "terms_on_deny"}
    assert refusals(text="deny * *", terms={}) == {}


def test_tightened_takes_the_stricter_of_everything():
    """Losing this, two rules together promise less than either."""
    left = pdp.Terms(5.0, pdp.Rate(10, 20), ("a", "b"), ("x",))
    right = pdp.Terms(None, pdp.Rate(20, 10), ("b", "c"), ("w",))
    both = pdp.Terms(5.0, pdp.Rate(10, 10), ("a", "b", "c"), ("w", "x"))
    assert left.tightened(right) == right.tightened(left) == both
    assert right.tightened(right).timeout is None
