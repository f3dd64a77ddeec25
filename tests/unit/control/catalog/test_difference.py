"""What a reviewer is told about a changed definition."""

import pytest

from agentxsuite.control.catalog.difference import MOST, Change, Passage, difference, visible


def told(before, after):
    return [(each.path, each.kind) for each in difference(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, []),
        ({"a": 1}, {"a": True}, [("/a", "changed")]),
        ({"a": 1}, {"a": 1.0}, [("/a", "changed")]),
        ({"a": None}, {}, [("/a", "removed")]),
        ({}, {"a": None}, [("/a", "added")]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("/a/b/c", "changed")]),
        ({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, [("/a~1b/~0", "changed")]),
        ({"a": ["x", "y"]}, {"a": ["x"]}, [("/a", "changed")]),
        ({"a": [{"b": 1}, 2]}, {"a": [{"b": 3}]}, [("/a/0/b", "changed"), ("/a/1", "removed")]),
        ({"a": [1]}, {"a": [{"b": 1}]}, [("/a", "changed")]),
        ({"a": {}}, {"a": []}, [("/a", "changed")]),
    ],
)
def test_every_difference_is_told_and_nothing_else(before, after, changes):
    """Otherwise: a reviewer approves what they were not shown, or drowns in what is the same."""
    assert told(before, after) == changes


def test_a_change_has_both_values():
    """Otherwise: a reviewer sees that something changed and not what."""
    [change] = difference({"a": {"b": [1]}}, {"a": {"b": [1, 2]}})
    assert change == Change("/a/b", "changed", [1], [1, 2], None)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("Reads it.", "Reads them.", Passage("Reads ", "it", "them", ".")),
        ("aa", "aaa", Passage("aa", "", "a", "")),
        ("aaa", "aa", Passage("aa", "a", "", "")),
        ("x" * 99, "x" * 99 + "!", Passage("x" * 40, "", "!", "")),
        ("Reads.", "Reads\u200b.", Passage("Reads", "", "\\u{200b}", ".")),
        ("one\ntwo", "one\nsix", Passage("one\n", "two", "six", "")),
    ],
)
def test_a_text_shows_the_passage_that_differs(before, after, text):
    """Otherwise: one word, hidden in a page of text, is approved unseen."""
    [change] = difference({"a": before}, {"a": after})
    assert change.text == text


def test_what_is_new_is_shown_as_a_text_too():
    """Otherwise: the hidden characters of a tool's first description stay hidden."""
    [change] = difference({}, {"a": "\u202eevil"})
    assert change.text == Passage("", "", "\\u{202e}evil", "")
    [gone] = difference({"a": "text"}, {})
    assert gone.text == Passage("", "text", "", "")
    [number] = difference({"a": "7"}, {"a": 7})
    assert number.text is None


def test_very_many_changes_are_told_field_by_field():
    """Otherwise: the change that matters is cut off behind a thousand that do not."""
    before = {"many": {str(at): at for at in range(MOST + 1)}, "one": {"x": 1}}
    after = {"many": {str(at): -at - 1 for at in range(MOST + 1)}, "one": {"x": 2}}
    assert told(before, after) == [("/many", "changed"), ("/one", "changed")]


def test_a_path_is_never_without_end():
    """Otherwise: a hostile server makes one answer gigabytes long."""
    name = "n" * 2_000
    assert told({name: {"a": 1}}, {name: {"a": 2}}) == [(f"/{name}", "changed")]


def test_what_can_be_read_is_left_as_it_is():
    """Otherwise: a description in another language cannot be read any more."""
    assert visible("Größe: 尺寸\n") == "Größe: 尺寸\n"
