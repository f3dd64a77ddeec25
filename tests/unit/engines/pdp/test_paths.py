"""Paths into a request."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from agentxsuite.engines import pdp
from tests.unit.engines.pdp.building import FALSE, TRUE, call, decide, holds, refusals, rule

INPUT = {"a": {"b-c": [10, {"d": 20}], "e f": 30, 'q"': 40, "ü": 50, "_x9": 60}}
FOUND = [
    ("input.a.b-c[0]", 10),
    ("input.a.b-c[1].d", 20),
    ('input.a["e f"]', 30),
    ('input["a"]["q\\""]', 40),
    ('input.a["ü"]', 50),
    ('input.a["\\u00fc"]', 50),
    ("input.a._x9", 60),
]


@pytest.mark.parametrize(("path", "value"), FOUND)
def test_path_leads_to_its_value(path, value):
    """Losing this, a condition looks at another argument than it names."""
    assert holds({"path": path, "op": "eq", "value": value}, INPUT) == TRUE


ABSENT = [
    ("input.z", "missing_path"),
    ("input.a.b-c[2]", "missing_path"),
    ("input.n.x", "missing_path"),
    ("input.n[0]", "missing_path"),
    ("input.z.z.z", "missing_path"),
    ("env.type", "missing_path"),
    ("input.a.b-c.d", "wrong_type"),
    ("input.a[0]", "wrong_type"),
    ('input.a["e f"].x', "wrong_type"),
    ("input.a[0].x", "wrong_type"),
]


@pytest.mark.parametrize(("path", "code"), ABSENT)
def test_path_says_why_it_leads_nowhere(path, code):
    """Losing this, nobody can tell a forgotten argument from a malformed one."""
    request = call(input_={**INPUT, "n": None})
    decision = decide([rule("allow * *", {"path": path, "op": "eq", "value": 1})], request)
    assert decision.errors == (pdp.Fault("allow * *", path, code),)


def test_missing_is_forgiven_where_said_but_misplaced_never():
    """Losing this, an argument of the wrong shape passes as a missing one."""
    leaf = {"path": "input.a.b", "op": "eq", "value": 1, "on_missing": "no_match"}
    assert holds(leaf, {"a": {}}) == FALSE
    assert holds(leaf, {"a": "text"}) == (False, True)


BAD = [
    ("", "unknown_root"),
    ("inputs.a", "unknown_root"),
    ("os.environ", "unknown_root"),
    (".a", "unknown_root"),
    ("Input.a", "unknown_root"),
    ("output.a", "unknown_root"),
    ("input", "bad_path"),
    ("input.", "bad_path"),
    ("input..a", "bad_path"),
    ("input.9", "bad_path"),
    ("input.a b", "bad_path"),
    ("input.a ", "bad_path"),
    ("input[-1]", "bad_path"),
    ("input[01]", "bad_path"),
    ("input[*]", "bad_path"),
    ("input[1", "bad_path"),
    ("input['a']", "bad_path"),
    ('input["a]', "bad_path"),
    ('input["\\x"]', "bad_path"),
    ('input["\\ud800"]', "bad_path"),
    ('input["\ud800"]', "bad_path"),
    ("input.ü", "bad_path"),
    ("input." + "a" * 512, "bad_path"),
    (1, "bad_path"),
    (None, "bad_path"),
]


@pytest.mark.parametrize(("path", "code"), BAD)
def test_bad_path_is_refused_when_written(path, code):
    """Losing this, a mistyped path makes a rule that never works."""
    assert refusals({"path": path, "op": "eq", "value": 1}) == {"/conditions": code}


def test_longest_path_is_accepted():
    """Losing this, paths within the documented limit are refused."""
    assert refusals({"path": "input." + "a" * 506, "op": "eq", "value": 1}) == {}


@pytest.mark.parametrize("root", ["request", "context"])
def test_time_is_the_instant_of_the_decision_unless_given(root):
    """Losing this, rules about time judge by a clock that nobody can set or trust."""
    at = datetime(2026, 3, 4, 13, 30, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    leaf = {"path": f"{root}.time", "op": "eq", "value": "2026-03-04T12:30:00.000005Z"}
    assert holds(leaf, at=at) == TRUE
    assert holds(leaf, at=datetime(2026, 3, 4, tzinfo=UTC)) == FALSE
    given = {root: {"time": "2026-03-04T12:30:00.000005Z"}}
    assert holds(leaf, at=datetime(2026, 3, 4, tzinfo=UTC), attributes=given) == TRUE


def test_the_time_is_told_in_utc_wherever_the_server_stands(monkeypatch):
    """Losing this, rules about time mean another hour on a server elsewhere."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        leaf = {"path": "request.time", "op": "prefix", "value": "2026-03-04T12:00:00Z"}
        assert holds(leaf) == TRUE
    time.tzset()


def test_only_the_clock_paths_know_the_time():
    """Losing this, an argument named time is filled in by the server."""
    leaf = {"path": "input.time", "op": "exists", "value": True}
    assert holds(leaf) == FALSE
    assert holds({**leaf, "path": "request.time.x"}) == FALSE
    assert holds({**leaf, "path": "env.time"}) == FALSE
