"""Patterns are refused when written; what they cover is in the matrix of decisions."""

import pytest

from agentxsuite.engines.pdp.patterns import Piece, TargetPattern, parse_target
from tests.unit.engines.pdp.building import refusals

ACTIONS = ["*", "a", "tool.invoke", "tool.*", "a.b.c.*", "A_1-x.b", "a" * 128]
BAD_ACTIONS = [
    "", ".", "a.", ".a", "a..b", "*.a", "a*", "a.b*", "a.*.b", "tool.**", "1a", "a b", "a\n",
    "tööl", "a" * 129, "a.* ",
]  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS)
def test_action_is_accepted(action):
    """Losing this, patterns that the documentation shows are refused."""
    assert refusals(text=f"allow {action} *") == {}


@pytest.mark.parametrize("action", BAD_ACTIONS)
def test_action_is_refused(action):
    """Losing this, a mistyped action is a rule that never matches."""
    assert refusals(action=action) == {"/action": "bad_action"}


def test_what_is_no_text_is_refused():
    """Losing this, a rule written with a null in it stops every decision."""
    assert refusals(action=None) == {"/action": "bad_action"}
    assert refusals(target=None) == {"/target": "bad_target"}


TARGETS = [
    "*", "tool:*", "tool:**", "tool:x", "tool:x/**", "tool:*/x", "tool:x*/*/y*/**", "agent:x",
    "connection:x", "resource:x/https/_/a b?c=d", "prompt:x/y", "tool:x/%2A", "tool:...",
    "tool:X-a/a-X", "tool:a..b", "tool:x/" + "a" * 4089, "tool:" + "/".join("a" * 64),
    "resource:docs/Straße", "resource:docs/жук", "resource:docs/データ",
    "resource:docs/\U00017000", "tool:pdf/a:b@c=d&e+f,g;h!$'()", "resource:docs/한국어",
    "resource:docs/ひらがなカタカナ漢字", "resource:docs/Łódź", "resource:docs/ø",
    "resource:docs/жук 漢", "resource:docs/हिन्दी",
]  # fmt: skip
BAD_TARGETS = [
    ("", "unknown_kind"),
    ("tool", "unknown_kind"),
    ("Tool:x", "unknown_kind"),
    ("secret:x", "unknown_kind"),
    ("*:x", "unknown_kind"),
    ("**", "unknown_kind"),
    ("tool:", "empty_segment"),
    ("tool:/x", "empty_segment"),
    ("tool:x/", "empty_segment"),
    ("tool:x//y", "empty_segment"),
    ("tool:**/x", "bad_wildcard"),
    ("tool:x/**/y", "bad_wildcard"),
    ("tool:x**", "bad_wildcard"),
    ("tool:x*y", "bad_wildcard"),
    ("tool:*x", "bad_wildcard"),
    ("tool:***", "bad_wildcard"),
    ("tool:.", "traversal"),
    ("tool:x/..", "traversal"),
    ("tool:x/%2e%2E/y", "traversal"),
    ("tool:x/a%2F..%2Fb", "traversal"),
    ("tool:x/a\\..\\b", "traversal"),
    ("tool:x/..*", "traversal"),
    ("tool:x/%", "bad_escape"),
    ("tool:x/%2", "bad_escape"),
    ("tool:x/%zz", "bad_escape"),
    ("tool:x/%C3", "bad_escape"),
    ("tool:x/%\ud800", "bad_escape"),
    ("tool:x/a\nb", "control_character"),
    ("tool:x/a%0Ab", "control_character"),
    ("tool:x/a\x7f", "control_character"),
    ("tool:x/a\u200bb", "control_character"),
    ("tool:x/a\u202eb", "control_character"),
    ("tool:x/\ud800", "control_character"),
    ("tool:x/a\u00a0b", "confusable"),
    ("tool:x/a\u2003b", "confusable"),
    ("tool:x/ a", "confusable"),
    ("tool:x/\ta", "control_character"),
    ("tool:x/a\u0378b", "control_character"),
    ("tool:x/\u212a", "confusable"),
    ("tool:x/a\u0431\u03b2", "confusable"),
    ("tool:x/a\u3042\u0431", "confusable"),
    ("tool:x/\u0251", "confusable"),
    ("tool:x/\u00d7", "confusable"),
    ("tool:x/\u2163", "confusable"),
    ("tool:x/a%20", "confusable"),
    ("tool:x/\uff41", "confusable"),
    ("tool:x/u\u0308ber", "confusable"),
    ("tool:x/a\u2215b", "confusable"),
    ("tool:x/a\u2044b", "confusable"),
    ("tool:x/\u0661", "confusable"),
    ("tool:x/p\u0131ng", "confusable"),
    ("tool:x/\u0430bc", "confusable"),
    ("tool:x/\u0440\u0430\u0443", "confusable"),
    ("tool:x/\u03bf", "confusable"),
    ("tool:x/\u0555", "confusable"),
    ("tool:x/" + "a" * 4090, "too_long"),
    ("tool:" + "/".join("a" * 65), "too_long"),
]


@pytest.mark.parametrize("target", TARGETS)
def test_target_is_accepted(target):
    """Losing this, patterns that the documentation shows are refused."""
    assert refusals(target=target) == {}


@pytest.mark.parametrize(("target", "code"), BAD_TARGETS)
def test_target_is_refused(target, code):
    """Losing this, a target that looks like another is written into a rule unseen."""
    assert refusals(target=target) == {"/target": code}


FILED = [
    ("*", TargetPattern("*", 0, deep=True, rest=())),
    ("tool:*", TargetPattern("tool", 0, deep=True, rest=())),
    ("tool:**", TargetPattern("tool", 0, deep=True, rest=())),
    ("tool:a/b", TargetPattern("tool:a/b", 2, deep=False, rest=())),
    ("tool:a/b/**", TargetPattern("tool:a/b", 2, deep=True, rest=())),
    ("tool:a/b/*", TargetPattern("tool:a/b", 3, deep=False, rest=())),
    ("tool:a/*/c", TargetPattern("tool:a", 3, deep=False, rest=((2, Piece("c", prefix=False)),))),
    ("tool:*/b", TargetPattern("tool:*/b", 2, deep=False, rest=())),
    ("tool:x*/b", TargetPattern("tool:*/b", 2, deep=False, rest=((0, Piece("x", prefix=True)),))),
    ("tool:*/b/c", TargetPattern("tool:*/b", 3, deep=False, rest=((2, Piece("c", prefix=False)),))),
    ("tool:*/b*", TargetPattern("tool", 2, deep=False, rest=((1, Piece("b", prefix=True)),))),
]


@pytest.mark.parametrize(("target", "filed"), FILED)
def test_target_is_filed_where_few_others_are(target, filed):
    """Losing this, every decision looks through every rule with a star in it."""
    assert parse_target(target) == filed
