"""What each operator makes of a value."""

import pytest

from tests.unit.engines.pdp.building import ERROR, FALSE, TRUE, holds, refusals, truth

HUGE = 10**30
CASES = [
    # op, operand, actual value, what comes of it
    ("eq", 1, 1, TRUE),
    ("eq", 1, 1.0, TRUE),
    ("eq", 1, 2, FALSE),
    ("eq", HUGE, HUGE, TRUE),
    ("eq", HUGE, HUGE + 1, FALSE),
    ("eq", 1, True, ERROR),
    ("eq", True, 1, ERROR),
    ("eq", True, True, TRUE),
    ("eq", False, True, FALSE),
    ("eq", 1, "1", ERROR),
    ("eq", "a", "a", TRUE),
    ("eq", "a", "A", FALSE),
    ("eq", "a", ["a"], ERROR),
    ("eq", "a", None, ERROR),
    ("eq", None, None, TRUE),
    ("eq", None, 0, FALSE),
    ("eq", None, [], FALSE),
    ("eq", 1, float("nan"), ERROR),
    ("eq", 1, float("inf"), ERROR),
    ("ne", 1, 2, TRUE),
    ("ne", 1, 1, FALSE),
    ("ne", "a", 1, ERROR),
    ("ne", None, "a", TRUE),
    ("ne", None, None, FALSE),
    ("lt", 5, 4.9, TRUE),
    ("lt", 5, 5, FALSE),
    ("lte", 5, 5, TRUE),
    ("lte", 5, 5.1, FALSE),
    ("lte", HUGE, HUGE, TRUE),
    ("lte", HUGE, HUGE + 1, FALSE),
    ("gt", 5, 6, TRUE),
    ("gt", 5, 5, FALSE),
    ("gt", 5, "6", ERROR),
    ("gt", 5, True, ERROR),
    ("gt", 5, None, ERROR),
    ("gt", 5, float("inf"), ERROR),
    ("gte", 5, 5, TRUE),
    ("gte", 5, 4, FALSE),
    ("gte", "2026-01-01", "2026-01-01", TRUE),
    ("gte", "2026-01-01", "2025-12-31", FALSE),
    ("gte", "2026-01-01", 2026, ERROR),
    ("in", [1, "a", None], 1, TRUE),
    ("in", [1, "a", None], "a", TRUE),
    ("in", [1, "a", None], None, TRUE),
    ("in", [1, "a", None], 2, FALSE),
    ("in", [1, "a", None], True, ERROR),
    ("in", [1], "1", ERROR),
    ("in", [1], [1], ERROR),
    ("in", [True], 1, ERROR),
    ("not_in", [1, 2], 3, TRUE),
    ("not_in", [1, 2], 2, FALSE),
    ("not_in", [1, 2], "3", ERROR),
    ("prefix", "ab", "abc", TRUE),
    ("prefix", "ab", "xab", FALSE),
    ("prefix", "ab", ["ab"], ERROR),
    ("suffix", "bc", "abc", TRUE),
    ("suffix", "bc", "bcd", FALSE),
    ("suffix", "1", 11, ERROR),
    ("contains", "b", "abc", TRUE),
    ("contains", "x", "abc", FALSE),
    ("contains", 1, "1", ERROR),
    ("contains", "a", ["b", "a"], TRUE),
    ("contains", "a", ["b"], FALSE),
    ("contains", "a", [], FALSE),
    ("contains", "a", [1, "a"], TRUE),
    ("contains", "a", [1, "b"], ERROR),
    ("contains", 1, [True], ERROR),
    ("contains", "a", {"a": 1}, ERROR),
    ("contains", None, [None], TRUE),
    ("exists", True, None, TRUE),
    ("exists", True, 1, TRUE),
    ("exists", False, 1, FALSE),
    ("cidr", "10.0.0.0/8", "10.1.2.3", TRUE),
    ("cidr", "10.0.0.0/8", "11.1.2.3", FALSE),
    ("cidr", "10.0.0.0/8", "::ffff:10.1.2.3", TRUE),
    ("cidr", "10.0.0.0/8", "::1", FALSE),
    ("cidr", "::1", "::1", TRUE),
    ("cidr", ["10.0.0.0/8", "192.168.0.0/16"], "192.168.3.4", TRUE),
    ("cidr", ["10.0.0.0/8", "192.168.0.0/16"], "192.169.3.4", FALSE),
    ("cidr", "10.0.0.0/8", "10.1.2", ERROR),
    ("cidr", "10.0.0.0/8", "010.1.2.3", ERROR),
    ("cidr", "10.0.0.0/8", 167772161, ERROR),
    ("cidr", "10.0.0.0/8", None, ERROR),
    ("matches", "^a+$", "aaa", TRUE),
    ("matches", "^a+$", "aab", FALSE),
    ("matches", "^a$", "a\n", FALSE),
    ("matches", "b", "abc", TRUE),
    ("matches", "^1$", 1, ERROR),
    ("matches", "a", "\ud800", ERROR),
    ("matches", "^(a+)+$", "a" * 50_000 + "b", FALSE),
    ("len_lte", 3, "abc", TRUE),
    ("len_lte", 3, "abcd", FALSE),
    ("len_lte", 2, [1, 2], TRUE),
    ("len_lte", 1, [1, 2], FALSE),
    ("len_lte", 0, {}, TRUE),
    ("len_lte", 0, {"a": 1}, FALSE),
    ("len_lte", 3, 3, ERROR),
    ("len_lte", 3, None, ERROR),
    ("subset", ["a", "b"], ["a"], TRUE),
    ("subset", ["a", "b"], [], TRUE),
    ("subset", ["a", "b"], ["a", "c"], FALSE),
    ("subset", ["a", "b"], ["c", 1], FALSE),
    ("subset", ["a", "b"], ["a", 1], ERROR),
    ("subset", ["a", "b"], "a", ERROR),
    ("subset", [1], [True], ERROR),
]


@pytest.mark.parametrize(("op", "operand", "actual", "expected"), CASES)
def test_operator(op, operand, actual, expected):
    """Losing this, a condition lets through what its author excluded."""
    assert truth(op, operand, actual) == expected


@pytest.mark.parametrize("op", ["eq", "lt", "in", "contains", "cidr", "matches", "time_between"])
def test_missing_value_is_an_error_unless_the_rule_says_otherwise(op):
    """Losing this, leaving an argument out is a way around a deny."""
    value = {"in": [1], "cidr": "::/0", "time_between": ["08:00", "09:00"], "lt": 1}.get(op, "a")
    leaf = {"path": "input.x", "op": op, "value": value}
    assert holds(leaf) == ERROR
    assert holds({**leaf, "on_missing": "error"}) == ERROR
    assert holds({**leaf, "on_missing": "no_match"}) == FALSE
    assert holds({"not": {**leaf, "on_missing": "no_match"}}) == TRUE


@pytest.mark.parametrize(
    ("input_", "there"),
    [({"a": {"b": 1}}, True), ({"a": {}}, False), ({"a": None}, False), ({"a": "x"}, False)],
)
def test_exists_asks_what_others_call_an_error(input_, there):
    """Losing this, a rule cannot ask whether an argument was given at all."""
    for wanted in (True, False):
        leaf = {"path": "input.a.b", "op": "exists", "value": wanted}
        assert holds(leaf, input_) == (TRUE if wanted is there else FALSE)


def test_a_refused_expression_is_told_to_its_author_only(capfd):
    """Losing this, anybody who may write a rule can write into the server's log."""
    assert refusals({"path": "input.x", "op": "matches", "value": "("}) != {}
    assert capfd.readouterr().err == ""


REFUSED = [
    ("eq", [1], "bad_operand"),
    ("eq", {}, "bad_operand"),
    ("eq", float("nan"), "bad_operand"),
    ("ne", [], "bad_operand"),
    ("lt", None, "bad_operand"),
    ("lt", True, "bad_operand"),
    ("gt", float("inf"), "bad_operand"),
    ("in", 1, "bad_operand"),
    ("in", [], "list_size"),
    ("in", list(range(201)), "list_size"),
    ("in", [[1]], "bad_operand"),
    ("not_in", "abc", "bad_operand"),
    ("prefix", 1, "bad_operand"),
    ("suffix", None, "bad_operand"),
    ("contains", ["a"], "bad_operand"),
    ("exists", 1, "bad_operand"),
    ("cidr", "10.0.0.1/8", "bad_network"),
    ("cidr", "10.0.0.0/33", "bad_network"),
    ("cidr", ["10.0.0.0/8", "x"], "bad_network"),
    ("cidr", ["10.0.0.0/8", 1], "bad_operand"),
    ("cidr", [], "list_size"),
    ("cidr", 1, "bad_operand"),
    ("matches", 1, "bad_operand"),
    ("matches", "(", "bad_regex"),
    ("matches", r"(a)\1", "bad_regex"),
    ("matches", "(?=a)", "bad_regex"),
    ("matches", "a" * 257, "bad_regex"),
    ("matches", "((a{100}){100}){100}", "bad_regex"),
    ("matches", r"\pL{100}", "bad_regex"),  # small to write, large to keep
    ("matches", "\ud800", "bad_regex"),
    ("len_lte", -1, "bad_operand"),
    ("len_lte", True, "bad_operand"),
    ("len_lte", 1.0, "bad_operand"),
    ("subset", "a", "bad_operand"),
    ("subset", [{}], "bad_operand"),
    ("like", "a", "unknown_operator"),
    (["eq"], "a", "unknown_operator"),
]


@pytest.mark.parametrize(("op", "operand", "code"), REFUSED)
def test_operand_is_refused_when_written(op, operand, code):
    """Losing this, a rule that can never be judged is found out by denied calls."""
    assert refusals({"path": "input.x", "op": op, "value": operand}) == {"/conditions": code}


@pytest.mark.parametrize(
    ("op", "operand"),
    [("in", list(range(200))), ("matches", "a" * 256), ("len_lte", 0), ("cidr", ["::/0"] * 200)],
)
def test_operand_at_its_limit_is_accepted(op, operand):
    """Losing this, rules within the documented limits are refused."""
    assert refusals({"path": "input.x", "op": op, "value": operand}) == {}
