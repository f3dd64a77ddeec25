"""State that callers carry for us."""

from datetime import timedelta

import pytest

from agentxsuite.gateway.seals import SealBroken, Seals
from tests.unit.gateway.building import NOON

LATER = NOON + timedelta(minutes=10)
BOUND = ("agent:1", "tool:2")
VALUE = ["theirs", {"n": 1}]
SEALS = Seals((b"k" * 32,))


def test_what_was_sealed_is_opened_for_the_same():
    """Otherwise: nobody can answer a question that a tool asks."""
    text = SEALS.seal(VALUE, BOUND, LATER)
    assert SEALS.open(text, BOUND, NOON) == VALUE
    newer = Seals((b"n" * 32, *SEALS.keys))
    assert newer.open(text, BOUND, NOON) == VALUE


@pytest.mark.parametrize(
    "bound", [("agent:1", "tool:3"), ("agent:1tool", ":2"), ("agent:1",), (*BOUND, "")]
)
def test_it_is_of_no_use_for_anything_else(bound):
    """Otherwise: an answer that somebody gave for one call is taken for another's."""
    with pytest.raises(SealBroken):
        SEALS.open(SEALS.seal(VALUE, BOUND, LATER), bound, NOON)


def test_it_does_not_keep_for_ever():
    """Otherwise: what was collected once opens doors for ever."""
    text = SEALS.seal(VALUE, BOUND, NOON)
    with pytest.raises(SealBroken):
        SEALS.open(text, BOUND, LATER)


@pytest.mark.parametrize("text", ["", ".", "a.b", "a", "é.é", "AA==.AA", "AB.AB", "!.!"])
def test_what_is_no_seal_is_refused(text):
    """Otherwise: made-up state ends in a crash, or in the tool."""
    with pytest.raises(SealBroken):
        SEALS.open(text, BOUND, NOON)


def test_a_changed_or_foreign_seal_is_refused():
    """Otherwise: a caller writes the tool's memory."""
    payload, mac = SEALS.seal(VALUE, BOUND, LATER).split(".")
    other = SEALS.seal(["mine"], BOUND, LATER).split(".")[0]
    for text in (f"{other}.{mac}", f"{payload}.", f"{payload}x.{mac}"):
        with pytest.raises(SealBroken):
            SEALS.open(text, BOUND, NOON)
    with pytest.raises(SealBroken):
        Seals((b"x" * 32,)).open(f"{payload}.{mac}", BOUND, NOON)
    assert "k" * 32 not in repr(SEALS)
