"""What fits passes, what does not is named, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentxsuite import wire
from agentxsuite.engines.schemas import Schema, SchemaRefused, Violation, inspect_schema

BIG = 123456789012345678901234567890
TOOL = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "minLength": 1, "pattern": "^[a-z/]+$"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
    },
    "required": ["path"],
    "additionalProperties": False,
    "$defs": {"tag": {"enum": ["red", "green"]}},
}
DRAFTS = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
]


def fits(schema, value):
    return Schema.compile(schema).check(value) == ()


def test_a_usual_tool_is_accepted_and_its_arguments_too():
    """An ordinary tool cannot be used."""
    inspect_schema(TOOL)
    assert fits(TOOL, {"path": "a/b", "limit": 3, "tags": ["red"]})


def test_every_violation_is_named_with_its_place():
    """A caller cannot tell what to correct."""
    found = Schema.compile(TOOL).check({"path": "", "limit": 0, "tags": ["red", "blue"], "x": 1})
    assert {(violation.path, violation.keyword) for violation in found} == {
        ("/path", "minLength"),
        ("/path", "pattern"),
        ("/limit", "minimum"),
        ("/tags/1", "enum"),
        ("", "additionalProperties"),
    }


def test_a_missing_property_is_named():
    """A caller is told that something is missing, not what."""
    (violation,) = Schema.compile(TOOL).check({})
    assert violation == Violation("", "required", '"path" is a required property')


def test_the_path_is_a_json_pointer():
    """A name with a slash points somewhere else (RFC 6901)."""
    schema = {"additionalProperties": {"items": {"type": "string"}}}
    (violation,) = Schema.compile(schema).check({"a/b~c": ["", 1]})
    assert violation.path == "/a~1b~0c/1"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"maxLength": 3}, "canary" * 1000),
        ({"type": "integer"}, "canary" * 1000),
        ({"enum": [1, 2]}, "canary" * 1000),
        ({"const": 1}, {"canary": "canary" * 1000}),
        ({"anyOf": [{"type": "integer"}, {"minLength": 10_000}]}, "canary" * 1000),
        ({"not": {"type": "string"}}, "canary" * 1000),
        ({"uniqueItems": True}, ["canary", "canary"]),
    ],
)
def test_a_message_repeats_no_value(schema, value):
    """A secret argument ends up in an error, a log and the record."""
    (violation,) = Schema.compile(schema).check(value)
    assert "canary" not in violation.message


@pytest.mark.parametrize(
    "schema",
    [
        {"additionalProperties": False},
        {"unevaluatedProperties": False},
        {"propertyNames": {"maxLength": 3}},
        {"additionalProperties": {"type": "string"}},
    ],
)
def test_a_message_repeats_little_of_a_name(schema):
    """A long name makes an endless error."""
    found = Schema.compile(schema).check({"canary" * 100 + str(number): 1 for number in range(30)})
    assert 1 <= len(found) <= 20
    assert all(len(violation.message) <= 100 for violation in found)
    assert all(len(violation.path) <= 300 for violation in found)


def test_at_most_twenty_violations_are_named():
    """A list of a thousand errors fills the answer and the record."""
    found = Schema.compile({"items": {"type": "string"}}).check(list(range(50)))
    assert [violation.path for violation in found] == [f"/{number}" for number in range(20)]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("keyword", "operand", "good", "bad"),
    [
        ("const", BIG, BIG, BIG + 1),
        ("enum", [0, BIG], BIG, BIG + 1),
        ("multipleOf", 7, 7 * BIG, 7 * BIG + 1),
        ("type", "integer", BIG, 0.5),
        ("uniqueItems", True, [BIG, BIG + 1], [BIG, BIG]),
    ],
)
def test_thirty_digits_are_exact(keyword, operand, good, bad, sign):
    """Two account numbers that differ in the last digit are taken for one."""
    if keyword in {"const", "enum"} and sign < 0:
        operand = -operand if keyword == "const" else [-each for each in operand]
    turned = [
        [sign * each for each in value] if isinstance(value, list) else sign * value
        for value in (good, bad)
    ]
    schema = wire.loads(wire.dumps({keyword: operand}))
    assert [fits(schema, wire.loads(wire.dumps(value))) for value in turned] == [True, False]


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"maximum": BIG}, BIG, BIG + 1),
        ({"minimum": BIG}, BIG, BIG - 1),
        ({"exclusiveMaximum": BIG}, BIG - 1, BIG),
        ({"exclusiveMinimum": -BIG}, 1 - BIG, -BIG),
    ],
)
def test_bounds_of_thirty_digits_are_exact(schema, good, bad):
    """A limit lets a little more through than it says."""
    assert fits(schema, good)
    assert not fits(schema, bad)


@given(st.integers(), st.integers())
def test_bounds_agree_with_arithmetic(bound, value):
    """Some pair of integers is compared wrongly."""
    assert fits({"maximum": bound}, value) == (value <= bound)
    assert fits({"const": bound}, value) == (value == bound)


@pytest.mark.parametrize("draft", DRAFTS)
def test_every_known_draft_is_understood(draft):
    """A server that writes its schemas in an older draft cannot be connected."""
    schema = {"$schema": draft, "type": "object", "properties": {"a": {"type": "string"}}}
    inspect_schema(schema)
    assert fits(schema, {"a": "x"})
    assert not fits(schema, {"a": 1})


def test_without_a_draft_it_is_2020_12():
    """``prefixItems`` means nothing, and ``items`` something else (MCP: 2020-12 by default)."""
    schema = {"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}
    assert fits(schema, ["a", 1])
    assert not fits(schema, ["a", "b"])


def test_an_older_draft_keeps_its_meaning():
    """An array of ``items`` in draft 7 stops describing positions."""
    schema = {"$schema": DRAFTS[2], "items": [{"type": "string"}], "additionalItems": False}
    assert fits(schema, ["a"])
    assert not fits(schema, ["a", "b"])


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/a~1b%25c", "$defs": {"a/b%c": {"type": "string"}}},
        {"$ref": "#/allOf/0", "allOf": [{"type": "string"}]},
        {"$ref": "#name", "$defs": {"a": {"$anchor": "name", "type": "string"}}},
        {"$dynamicRef": "#name", "$defs": {"a": {"$dynamicAnchor": "name", "type": "string"}}},
        {"$id": "https://tool.example/", "$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {
            "$schema": DRAFTS[2],
            "allOf": [{"$ref": "#name"}],
            "definitions": {"a": {"$id": "#name", "type": "string"}},
        },
        {"dependentSchemas": {"a": True}, "if": {"type": "integer"}, "then": False},
    ],
)
def test_local_references_work(schema):
    """A tool whose schema names its parts cannot be used."""
    compiled = Schema.compile(schema)
    assert compiled.check("text") == ()
    assert compiled.check(1)


def test_a_recursive_schema_works():
    """A tool that takes a tree cannot be used."""
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    inspect_schema(tree)
    assert fits(tree, {"left": {"left": {}}, "right": {}})
    (violation,) = Schema.compile(tree).check({"left": {"right": 7}})
    assert violation.path == "/left/right"


def test_a_format_only_annotates():
    """A tool's remark on its text turns calls away that the tool would have taken."""
    assert fits({"$schema": DRAFTS[2], "format": "email"}, "nobody")


@pytest.mark.parametrize("schema", [{}, {"type": "string"}, {"type": ["object"]}, {"$ref": "#"}])
def test_a_tools_input_is_an_object(schema):
    """A tool is synced that no MCP client can call."""
    Schema.compile(schema)
    with pytest.raises(SchemaRefused, match="schema_not_object"):
        inspect_schema(schema)


@pytest.mark.parametrize(
    ("schema", "value", "place"),
    [
        ({"items": {"type": "integer"}}, [*range(50_000), "x"], ("/50000", "type")),
        (
            {
                "prefixItems": [{"items": {"$ref": "#/$defs/n"}}],
                "$defs": {"n": {"type": "integer"}},
            },
            [[*range(50_000), "x"]],
            ("/0/50000", "type"),
        ),
        (
            {"allOf": [True, {"properties": {"a": {"items": {"maximum": 9}}, "b": False}}]},
            {"a": [*[1] * 50_000, 10]},
            ("/a/50000", "maximum"),
        ),
        ({"maxItems": 3}, [1] * 50_000, ("", "schema")),
        ({"items": {"type": "integer"}, "maxItems": 3}, [1] * 50_000, ("", "schema")),
        (
            {"properties": {"z": False, "a": {"maxItems": 3}}},
            {"a": [1] * 50_000},
            ("/a", "schema"),
        ),
        ({"properties": {"a": False}}, {"a": [1] * 50_000}, ("/a", "schema")),
        ({"items": {"maxItems": 1}}, [[1, 2]] * 50_000, ("/0", "maxItems")),
    ],
)
def test_in_a_large_value_the_place_is_still_named(schema, value, place):
    """One bad row among thousands is refused without saying which."""
    (violation,) = Schema.compile(schema).check(value)
    assert (violation.path, violation.keyword) == place


def test_a_large_text_is_no_large_value():
    """A tool that writes files refuses a long file."""
    schema = {"properties": {"path": {"pattern": "^[a-z/]+$"}, "content": {"type": "string"}}}
    assert fits(schema, {"path": "a/b", "content": "one, [two], {three}\n" * 40_000})


def test_a_value_beyond_the_budget_is_refused_and_says_so():
    """A check that would take too long is skipped instead of refused."""
    schema = {"anyOf": [{"pattern": f"[ax]*a[ax]{{{size}}}z"} for size in range(50, 100)]}
    (violation,) = Schema.compile(schema).check("ax" * 100_000)
    assert violation.keyword == "complexity"


def test_a_printed_schema_is_short():
    """A log line repeats 64 KiB of schema."""
    assert len(repr(Schema.compile(TOOL))) < 200
