"""What a record must not keep."""

import pytest

from agentxsuite.engines import pdp

GONE = pdp.REDACTED


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ((), {"input": {"card": {"no": 1}, "l": [1, {"a": 2}]}, "output": "x"}),
        (("input.card.no",), {"input": {"card": {"no": GONE}, "l": [1, {"a": 2}]}, "output": "x"}),
        (
            ("input.card", "input.card.no", "output"),
            {"input": {"card": GONE, "l": [1, {"a": 2}]}, "output": GONE},
        ),
        (
            ("input.l[1].a", 'input["l"][0]'),
            {"input": {"card": {"no": 1}, "l": [GONE, {"a": GONE}]}, "output": "x"},
        ),
        (("input",), {"input": GONE, "output": "x"}),
        (
            ("input.none", "input.l[2]", "input.l.a", "input.card[0]", "output.a"),
            {"input": {"card": {"no": 1}, "l": [1, {"a": 2}]}, "output": "x"},
        ),
    ],
)
def test_values_at_the_paths_are_gone(paths, expected):
    """Losing this, card numbers stay in the records of calls."""
    document = {"input": {"card": {"no": 1}, "l": [1, {"a": 2}]}, "output": "x"}
    assert pdp.redact(document, paths) == expected
    assert document == {"input": {"card": {"no": 1}, "l": [1, {"a": 2}]}, "output": "x"}


def test_a_document_without_output_yet():
    """Losing this, recording the start of a call fails where a rule redacts answers."""
    assert pdp.redact({"input": {"a": 1}}, ("output.b", "input.a")) == {"input": {"a": GONE}}
