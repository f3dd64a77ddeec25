"""What is printed: nothing that a stranger wrote can take over a terminal."""

import json

import pytest

from agentxsuite.cli import moments, output
from agentxsuite.cli.calls import contents
from agentxsuite.cli.failures import Misused, Refused
from agentxsuite.cli.hints import hint_for
from agentxsuite.cli.tools import told

EVIL = "\x1b]0;owned\x07\x9b31m\u202egood\r\u200b"


def test_strangers_words_do_not_reach_the_terminal_as_commands(capsys):
    """Otherwise: a tool's answer rewrites the screen, or hides what it did."""
    output.show(output.table([{"name": EVIL}], {"name": "name"}), as_json=False)
    output.show(output.Answer(EVIL, (EVIL,)), as_json=False)
    output.show(output.Answer(EVIL), as_json=True)
    problem = {"code": "x", "detail": EVIL, "errors": [{"path": EVIL, "message": EVIL}]}
    output.show_failure(Refused(problem, EVIL), as_json=False)
    output.show_failure(Refused(problem, EVIL), as_json=True)
    output.note(EVIL)
    with output.waiting(EVIL):
        pass
    captured = capsys.readouterr()
    printed = captured.out + captured.err
    assert "good" in printed
    assert not [each for each in printed if not each.isprintable() and each != "\n"]


def test_json_says_the_same_after_what_is_hidden_was_spelled_out():
    """Otherwise: a program gets another text than the tool gave."""
    assert json.loads(output.pretty({"a": [EVIL, "\u00e4\n"]})) == {"a": [EVIL, "\u00e4\n"]}


def test_answers_of_every_kind_are_shown():
    """Otherwise: an answer that is no text looks like no answer."""
    parts = [
        {"type": "text", "text": "hello"},
        {"type": "image", "mimeType": "image/png", "data": ""},
        {"type": "resource", "resource": {"uri": "file:///x"}},
        {"type": "odd"},
    ]
    shown = ["hello", "[image image/png]", "[resource file:///x]", "[odd]"]
    assert contents({"content": parts}) == shown
    assert json.loads(contents({"content": [], "structuredContent": {"a": 1}})[0]) == {"a": 1}
    assert contents({"content": []}) == []


def test_hints_come_from_the_server_first():
    """Otherwise: the server knows better, and nobody hears it."""
    line = "agentxsuite policies allow --agent clerk --tool pdf/read"
    assert hint_for({"code": "default_deny", "command": line}) == line
    assert hint_for({"code": "rate_limited", "retry_after": 3}) == "try again in 3 seconds"
    assert hint_for({"code": "unheard_of"}) == ""


def test_a_difference_shows_both_sides():
    """Otherwise: a reviewer approves what was not seen."""
    passage = {"lead": "Return ", "removed": "it", "added": "all", "tail": "."}
    found = {
        "name": "a/b",
        "approved": None,
        "pending": {"number": 2},
        "changes": [
            {"kind": "changed", "path": "/d", "before": "", "after": "", "text": passage},
            {"kind": "added", "path": "", "before": None, "after": {"x": 1}, "text": None},
            {"kind": "removed", "path": "/y", "before": 5, "after": None, "text": None},
        ],
        "findings": [{"path": "/d", "detail": "invisible characters"}],
    }
    lines = told(found)
    assert "    - Return [it]." in lines
    assert "    + Return [all]." in lines
    assert '    + {"x": 1}' in lines
    assert "    - 5" in lines
    assert "  look at /d: invisible characters" in lines


@pytest.mark.parametrize("text", ["2026-11-22", "2026-11-22T09:00+02:00", "90m", "7d"])
def test_moments_are_read(text):
    """Otherwise: a search by time finds something else."""
    assert "T" in (moments.moment(text) or "")


def test_what_is_no_moment_is_told():
    """Otherwise: a typing error searches everything."""
    with pytest.raises(Misused):
        moments.moment("soon")
    assert moments.moment(None) is None
    assert output.when(None) == "-"
