import pytest

from agentxsuite.control.catalog.listing import (
    MAX_TOOLS,
    Unacceptable,
    canonical_json,
    read_listing,
)
from tests.unit.control.catalog.definitions import definition


def refusals(*definitions):
    listing = read_listing("pdf", definitions)
    return [finding.code for finding in listing.refused], sorted(listing.offers)


@pytest.mark.parametrize(
    ("upstream_name", "name"),
    [
        ("read", "pdf/read"),
        ("files/read", "pdf/files%2Fread"),
        ("read file", "pdf/read%20file"),
        ("100%*", "pdf/100%25%2A"),
        ("größe", "pdf/gr%C3%B6%C3%9Fe"),
        ("a.b-c_d~e", "pdf/a.b-c_d~e"),
        ("x" * 256, "pdf/" + "x" * 256),
    ],
)
def test_a_tool_is_named_in_one_segment(upstream_name, name):
    """A policy for one tool would cover others, or none."""
    listing = read_listing("pdf", [definition(upstream_name)])
    assert listing.offers[upstream_name].name == name


@pytest.mark.parametrize(
    "name", ["", "..", "a\0b", "a\u202eb", "\u0440\u0430ypal", "x" * 257, "ü" * 100, "\ud800", " a"]
)
def test_a_name_that_no_policy_can_speak_of_is_refused(name):
    """A tool would be stored that can never be called, or that looks like another one."""
    assert refusals(definition(name), definition("read")) == (["tool_name_refused"], ["read"])


def test_tools_that_share_a_name_are_refused():
    """One of two tools would be approved, and the other one called."""
    twins = [definition("read"), definition("read", "Deletes."), definition("write")]
    assert refusals(*twins) == (["tool_repeated", "tool_repeated"], ["write"])


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ("nul \0", "tool_unstorable"),
        ("half \ud800", "tool_unstorable"),
        ("x" * 2**18, "tool_too_large"),
    ],
)
def test_what_cannot_be_stored_is_refused(description, code):
    """One bad definition would make the whole sync fail."""
    assert refusals(definition(description=description), definition("b")) == ([code], ["b"])


def test_a_backslash_before_u0000_is_no_nul():
    """A schema that forbids NUL by a pattern would be refused as if it had one."""
    assert refusals(definition(description=r"matches [^\u0000] and \\u0000"))[0] == []


def test_a_list_has_a_length():
    """A hostile server could fill the database."""
    with pytest.raises(Unacceptable):
        read_listing("pdf", [definition(str(n)) for n in range(MAX_TOOLS + 1)])


def test_the_digest_tells_content_not_spelling():
    """Tools would be quarantined because a server sorts its JSON differently."""
    one, other = {"name": "a", "b": [1, 2.5], "c": "ü"}, {"c": "ü", "b": [1, 2.5], "name": "a"}
    assert canonical_json(one) == canonical_json(other)
    assert canonical_json(one) == '{"b":[1,2.5],"c":"ü","name":"a"}'.encode()


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Reads a file!"},
        {"title": "Read"},
        {"annotations": {"readOnlyHint": True}},
        {"inputSchema": {"type": "object"}},
        {"outputSchema": {"type": "object"}},
        {"_meta": {"x": 10**30}},
    ],
)
def test_every_part_is_pinned(change):
    """A server could change what a model reads without anybody noticing."""
    before = read_listing("pdf", [definition()]).offers["read"]
    after = read_listing("pdf", [definition() | change]).offers["read"]
    assert before.digest != after.digest


@pytest.mark.parametrize(
    ("schemas", "path"),
    [
        ({"inputSchema": {"$ref": "https://evil.example/s"}}, "/inputSchema"),
        ({"inputSchema": "none"}, "/inputSchema"),
        ({"inputSchema": {"type": "objekt"}}, "/inputSchema"),
        ({"outputSchema": {"$ref": "https://evil.example/s"}}, "/outputSchema"),
    ],
)
def test_a_schema_that_cannot_be_trusted_is_a_finding(schemas, path):
    """Arguments would be checked by a schema that fetches, stalls or means nothing."""
    offer = read_listing("pdf", [definition() | schemas]).offers["read"]
    assert [(finding.code, finding.path) for finding in offer.findings] == [
        ("schema_refused", path)
    ]


def test_a_tool_without_a_schema_takes_nothing_amiss():
    """A server that leaves the schema out would be refused as a whole."""
    assert read_listing("pdf", [{"name": "ping"}]).offers["ping"].findings == ()
