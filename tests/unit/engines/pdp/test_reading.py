"""Conditions are refused when written, with the place of each problem."""

import pytest

from agentxsuite.wire import dumps
from tests.unit.engines.pdp.building import FALSE, TRUE, holds, refusals

LEAF = {"path": "input.x", "op": "eq", "value": 1}
ROOM = 16_000 - len(dumps({**LEAF, "value": ""}))


def nested(levels):
    """A leaf under ``levels - 1`` connectives."""
    node = LEAF
    for _ in range(levels - 1):
        node = {"all": [node]}
    return node


@pytest.mark.parametrize(
    "conditions",
    [
        None,
        {},
        LEAF,
        nested(8),
        {"all": [LEAF] * 64},
        {"any": [{"all": [LEAF] * 32}, {"not": {"any": [LEAF] * 32}}]},
        {**LEAF, "value": "x" * ROOM},
        {"not": {"not": {"not": {"not": {"not": {"not": {"not": LEAF}}}}}}},
        {
            "path": "request.time",
            "op": "time_between",
            "value": ["08:00", "09:00"],
            "tz": "Z",
            "on_missing": "no_match",
        },
    ],
)
def test_within_the_limits(conditions):
    """Losing this, conditions within the documented limits are refused."""
    assert refusals(conditions) == {}


@pytest.mark.parametrize(
    ("conditions", "problems"),
    [
        (nested(9), {"/conditions" + "/all/0" * 8: "too_deep"}),
        (nested(5000), {"/conditions" + "/all/0" * 8: "too_deep"}),
        ({"all": [LEAF] * 65}, {"/conditions": "too_many_leaves"}),
        (
            {"any": [{"all": [LEAF] * 33}, {"not": {"any": [LEAF] * 32}}]},
            {"/conditions": "too_many_leaves"},
        ),
        ({**LEAF, "value": "x" * (ROOM + 1)}, {"/conditions": "too_large"}),
        ({"not": {"any": [nested(7)]}}, {"/conditions/not/any/0" + "/all/0" * 6: "too_deep"}),
        ({"all": [{"not": nested(7)}]}, {"/conditions/all/0/not" + "/all/0" * 6: "too_deep"}),
        ({**LEAF, "value": "\ud800"}, {"/conditions": "bad_text"}),
        ([LEAF], {"/conditions": "bad_condition"}),
        ("input.x == 1", {"/conditions": "bad_condition"}),
        (True, {"/conditions": "bad_condition"}),
        (0, {"/conditions": "bad_condition"}),
        ([], {"/conditions": "bad_condition"}),
        ({"all": []}, {"/conditions/all": "bad_condition"}),
        ({"any": LEAF}, {"/conditions/any": "bad_condition"}),
        ({"all": [LEAF], "any": [LEAF]}, {"/conditions": "bad_condition"}),
        ({"not": LEAF, "x": 1}, {"/conditions": "bad_condition"}),
        ({"not": [LEAF]}, {"/conditions/not": "bad_condition"}),
        ({"xor": [LEAF]}, {"/conditions": "bad_condition"}),
        ({"path": "input.x"}, {"/conditions": "bad_condition"}),
        ({"op": "eq", "value": 1}, {"/conditions": "bad_condition"}),
        ({**LEAF, "note": "x"}, {"/conditions": "bad_condition"}),
        ({**LEAF, "all": [LEAF]}, {"/conditions": "bad_condition"}),
        ({"path": "input.x", "op": "eq"}, {"/conditions": "bad_operand"}),
        ({**LEAF, "tz": "Z"}, {"/conditions": "bad_condition"}),
        ({**LEAF, "on_missing": "allow"}, {"/conditions": "bad_on_missing"}),
        ({**LEAF, "on_missing": None}, {"/conditions": "bad_on_missing"}),
        (
            {"path": "input.x", "op": "exists", "value": True, "on_missing": "no_match"},
            {"/conditions": "bad_on_missing"},
        ),
        (
            {"any": [{"not": {**LEAF, "op": "?"}}, LEAF, {"all": [{**LEAF, "path": "x"}]}]},
            {
                "/conditions/any/0/not": "unknown_operator",
                "/conditions/any/2/all/0": "unknown_root",
            },
        ),
    ],
)
def test_refused_with_its_place(conditions, problems):
    """Losing this, an author is told that something is wrong, but not where."""
    assert refusals(conditions) == problems


def test_an_empty_condition_is_none():
    """Losing this, a rule whose condition a form left empty never matches."""
    assert holds({}) == TRUE
    assert holds(None) == TRUE
    assert holds({"not": {"path": "input.x", "op": "exists", "value": False}}) == FALSE
