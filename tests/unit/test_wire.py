"""JSON on the wire: exact, strict, and the same on the way out as on the way in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentxsuite import wire

BIG = 123456789012345678901234567890
texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = (
    st.integers()
    | st.integers(-(10**300), 10**300)
    | st.floats(allow_nan=False).filter(lambda number: abs(number) != float("inf"))
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=30,
)


def refusal(body):
    with pytest.raises(wire.WireError) as caught:
        wire.loads(body)
    return caught.value.code


def exactly(value):
    """Tells 1 from 1.0 and from true, which Python holds equal."""
    return json.dumps(value, sort_keys=True)


@given(values)
def test_what_goes_out_comes_back(value):
    """The upstream receives another value than the one that was judged."""
    assert exactly(wire.loads(wire.dumps(value))) == exactly(value)


@given(values)
def test_any_json_library_reads_it_alike(value):
    """The upstream's parser sees another value than ours."""
    data = wire.dumps(value)
    assert exactly(json.loads(data)) == exactly(value)
    assert exactly(wire.loads(json.dumps(value).encode())) == exactly(value)


@pytest.mark.parametrize(
    "number",
    [BIG, -BIG, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**308, 10**18],
)
@pytest.mark.parametrize("form", ["{}", "[{}]", '{{"a":{}}}', " {} ", '{{"a":[1.5,"x",{}]}}'])
def test_an_integer_keeps_every_digit(number, form):
    """An account number of 30 digits is changed in its last ones."""
    body = form.format(number).encode()
    assert wire.dumps(wire.loads(body)) == body.strip()


def test_digits_in_a_text_are_no_number():
    """A text of digits comes back changed."""
    body = f'{{"a":"{BIG}","b":{BIG}}}'.encode()
    assert wire.loads(body) == {"a": str(BIG), "b": BIG}


@pytest.mark.parametrize(
    "body", [b"1" * 310, b"-" + b"1" * 310, b"1" * 5000, b"[" + b"9" * 10_000 + b"]"]
)
def test_an_endless_integer_is_refused(body):
    """Thousands of digits crash the parser, or keep it busy."""
    assert refusal(body) == "malformed_json"


@pytest.mark.parametrize(
    "body", [b"NaN", b"Infinity", b"-Infinity", b"[NaN]", b'{"a":nan}', b"1e400", b"-1e400"]
)
def test_what_is_no_number_is_refused(body):
    """A number that equals nothing, or is beyond all bounds, slips past a policy's comparison."""
    assert refusal(body) == "malformed_json"


@pytest.mark.parametrize("extra", [b"", f", {BIG}".encode()])
@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b'"\\ud800"'])
def test_a_long_integer_opens_no_side_door(word, extra):
    """The exact parser for long integers lets through what the fast one refuses."""
    assert refusal(b"[" + word + extra + b"]") == "malformed_json"


@pytest.mark.parametrize(
    "body", [b'{"a":1,"a":2}', b'{"\\u0061":1,"a":2}', f'{{"a":{BIG},"a":2}}'.encode()]
)
def test_of_two_equal_names_the_last_wins(body):
    """Policy judges the first of two names, the upstream obeys the second."""
    assert wire.loads(body) == {"a": 2}
    assert wire.dumps(wire.loads(body)) == b'{"a":2}'


@pytest.mark.parametrize("big", [b"1", str(BIG).encode()])
@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")]
)
def test_sixty_four_levels_and_no_more(opening, closing, big):
    """A deep value overflows somebody's stack, or an ordinary one is refused."""
    levels = 64 // (opening.count(b"[") + opening.count(b"{"))
    wire.loads(opening * levels + big + closing * levels)
    assert refusal(opening * (levels + 1) + big + closing * (levels + 1)) == "too_deep"


@pytest.mark.parametrize("depth", [1024, 1025, 100_000])
def test_endless_nesting_is_refused(depth):
    """A body of brackets crashes the process."""
    assert refusal(b"[" * depth + b"]" * depth) == "too_deep"


def test_brackets_in_a_text_or_side_by_side_are_not_deep():
    """A long list, or a text with brackets, is refused as too deep."""
    assert len(wire.loads(b"[" + b"[]," * 1000 + b"[]]")) == 1001
    assert wire.loads(b'"' + b"[" * 1000 + b'"') == "[" * 1000


@pytest.mark.parametrize(
    "body",
    [
        b'"\\ud800"', b'"\\udc00\\ud800"', b'{"\\ud800":1}', b'"\xed\xa0\x80"', b'"\xff"',
        b'"\xc0\xaf"', b"\xef\xbb\xbf1", '"a"'.encode("utf-16"), '"a"'.encode("utf-32"),
    ],
)  # fmt: skip
def test_what_is_no_unicode_is_refused(body):
    """Half a character passes here and breaks the database or the upstream."""
    assert refusal(body) == "malformed_json"


def test_a_surrogate_pair_is_one_character():
    """An emoji, escaped, is refused or comes back as two halves."""
    assert wire.dumps(wire.loads(b'"\\ud83d\\ude00"')) == '"😀"'.encode()


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"}", b"[1,]", b'{"a":1,}', b"{'a':1}", b"{a:1}", b"01", b"+1", b"1.",
        b".5", b"0x1", b"1 2", b"[1]]", b"nul", b"True", b"// x\n1", b'"\x00"', b'"\n"', b"1\x00",
        b'"\\x41"',
    ],
)  # fmt: skip
def test_what_is_almost_json_is_refused(body):
    """Two parsers disagree about a sloppy body."""
    assert refusal(body) == "malformed_json"


@given(
    st.binary(max_size=60)
    | st.text('[]{}",:0123456789eE+-.\\untrfalse ', max_size=60).map(str.encode)
)
def test_any_bytes_give_a_value_or_a_refusal(body):
    """Some body crashes the door."""
    try:
        value = wire.loads(body)
    except wire.WireError:
        assert refusal(body) in {"malformed_json", "too_deep"}
    else:
        assert exactly(json.loads(body)) == exactly(value)


@pytest.mark.parametrize("value", [[float("nan"), BIG], {"a": BIG, "b": float("inf")}])
def test_no_nan_goes_out_beside_a_long_integer(value):
    """The exact writer for long integers writes what no parser may read."""
    with pytest.raises(ValueError, match="Out of range"):
        wire.dumps(value)


@pytest.mark.parametrize(
    ("value", "depth"),
    [(1, 0), ("[[", 0), ([], 1), ({}, 1), ([1, [2], {"a": [3]}], 3), ({"a": {}}, 2)],
)
def test_depth_counts_containers(value, depth):
    """The bound on nesting is off by one."""
    assert wire.depth(value) == depth
