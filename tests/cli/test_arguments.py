"""`key=value` words become the arguments that a tool's schema asks for."""

import pytest

from agentxsuite.cli.arguments import arguments
from agentxsuite.cli.failures import Misused

SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer"},
        "share": {"type": "number"},
        "deep": {"type": "boolean"},
        "nothing": {"type": "null"},
        "names": {"type": "array", "items": {"type": "string"}},
        "sizes": {"type": "array", "items": {"type": "integer"}},
        "options": {"type": "object"},
        "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "either": {"type": ["integer", "string"]},
        "open": {},
    },
}


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["text=5"], {"text": "5"}),
        (["text=a=b"], {"text": "a=b"}),
        (["text="], {"text": ""}),
        (["count=5"], {"count": 5}),
        (["count=123456789012345678901234567890"], {"count": 123456789012345678901234567890}),
        (["share=0.5"], {"share": 0.5}),
        (["share=2"], {"share": 2}),
        (["deep=true"], {"deep": True}),
        (["nothing=null"], {"nothing": None}),
        (["names=a", "names=b"], {"names": ["a", "b"]}),
        (['names=["a","b"]'], {"names": ["a", "b"]}),
        (["sizes=1", "sizes=2"], {"sizes": [1, 2]}),
        (['options={"a":1}'], {"options": {"a": 1}}),
        (["maybe=null"], {"maybe": None}),
        (["maybe=3"], {"maybe": 3}),
        (["either=3"], {"either": 3}),
        (["either=x"], {"either": "x"}),
        (["open=3"], {"open": "3"}),
        (["unknown=3"], {"unknown": "3"}),
        (['unknown:={"a":[1]}'], {"unknown": {"a": [1]}}),
        (["text:=5"], {"text": 5}),
    ],
)
def test_words_are_typed_as_the_schema_says(words, meant):
    """Otherwise: numbers arrive as text, and a call that was typed right is refused."""
    assert arguments(words, SCHEMA) == meant


@pytest.mark.parametrize(
    "words",
    [
        ["count=x"],
        ["count=1.5"],
        ["deep=1"],
        ["share=true"],
        ["options=[]"],
        ["text=a", "text=b"],
        ["text:=NaN"],
        ["text"],
        [":=1"],
    ],
)
def test_what_does_not_fit_is_told_before_it_is_sent(words):
    """Otherwise: a typing error is a call on record."""
    with pytest.raises(Misused):
        arguments(words, SCHEMA)


@pytest.mark.parametrize("schema", [None, [], True, {"properties": {"a": True}}])
def test_a_schema_that_says_nothing_leaves_text(schema):
    """Otherwise: a tool with an odd schema cannot be called at all."""
    assert arguments(["a=1"], schema) == {"a": "1"}
