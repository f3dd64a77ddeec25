"""The user's reference, ``docs/policy.md``, leaves nothing out."""

import re
from pathlib import Path

import pytest

from agentxsuite.engines.pdp.operators import TESTS
from agentxsuite.engines.pdp.paths import ROOTS
from agentxsuite.engines.pdp.rules import SCOPE_TYPES

PROJECT = Path(__file__).parents[4]
PAGE = (PROJECT / "docs" / "policy.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`", PAGE))))
RAISED = re.compile(r'(?:Refused\(|report\.add\(\s*[^,]+,)\s*"(\w+)"')


@pytest.mark.parametrize("words", [{*TESTS, "time_between"}, ROOTS, SCOPE_TYPES])
def test_every_word_of_the_language_is_explained(words):
    """Losing this, authors of policies have to read the code."""
    assert words <= WORDS


def test_every_refusal_is_listed():
    """Losing this, a client meets a code that no page knows."""
    sources = (PROJECT / "src/agentxsuite/engines/pdp").glob("*.py")
    raised = {code for file in sources for code in RAISED.findall(file.read_text(encoding="utf-8"))}
    assert len(raised) > 30
    assert raised - WORDS == {"foreign_snapshot"}  # a mix-up inside the server, not a refusal
