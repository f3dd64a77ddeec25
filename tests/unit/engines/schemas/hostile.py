"""Schemas and values made to stall a checker. Each is refused, or its check is short."""

import random

ROOT = "https://json-schema.org/draft/2020-12/schema"


def doubling(keyword, steps, leaf):
    """References that double at each step: 2**steps tests of one value."""
    places = {
        f"d{step}": {keyword: [{"$ref": f"#/$defs/d{step + 1}"}] * 2} for step in range(steps)
    }
    return {"$defs": {**places, f"d{steps}": leaf}, "$ref": "#/$defs/d0"}


def chain(steps):
    places = {f"d{step}": {"$ref": f"#/$defs/d{step + 1}"} for step in range(steps)}
    return {"$defs": {**places, f"d{steps}": True}, "$ref": "#/$defs/d0"}


def nested(depth, keyword):
    schema = True
    for _ in range(depth):
        schema = {keyword: schema}
    return schema


def unevaluated(depth, keyword="allOf"):
    schema = {"properties": {"b": True}}
    for _ in range(depth):
        schema = {keyword: [schema], "unevaluatedProperties": False}
    return schema


def unevaluated_by_reference(steps):
    places = {
        f"d{step}": {"$ref": f"#/$defs/d{step + 1}", "unevaluatedProperties": False}
        for step in range(steps)
    }
    leaf = {"properties": {"b": True}}
    return {"$defs": {**places, f"d{steps}": leaf}, "$ref": "#/$defs/d0"}


def objects(depth, leaf):
    value = leaf
    for _ in range(depth):
        value = {"a": value}
    return value


def noise(letters, length):
    chosen = random.Random(1)  # noqa: S311 - the same noise each time, not a secret
    return "".join(chosen.choice(letters) for _ in range(length))


BIG = 10**30
REFUSED = {
    "remote http": ({"$ref": "http://127.0.0.1:1/schema"}, "schema_remote_ref"),
    "remote https": ({"$ref": "https://evil.example/"}, "schema_remote_ref"),
    "local file": ({"$ref": "file:///etc/passwd"}, "schema_remote_ref"),
    "relative file": ({"$ref": "../../etc/passwd"}, "schema_remote_ref"),
    "urn": ({"$ref": "urn:schema"}, "schema_remote_ref"),
    "remote meta-schema": ({"$ref": ROOT}, "schema_remote_ref"),
    "deep inside": ({"items": {"anyOf": [{"$ref": "http://evil/"}]}}, "schema_remote_ref"),
    "dynamic": ({"$dynamicRef": "http://evil/#a"}, "schema_remote_ref"),
    "recursive": ({"$recursiveRef": "http://evil/"}, "schema_remote_ref"),
    "behind a reference": (
        {"$ref": "#/x", "x": {"not": {"$ref": "http://evil/"}}},
        "schema_remote_ref",
    ),
    "unused definition": ({"$defs": {"a": {"$ref": "http://evil/"}}}, "schema_invalid"),
    "own base": ({"$id": "http://evil/a", "$ref": "b"}, "schema_remote_ref"),
    "other base": ({"not": {"$id": "http://evil/", "$ref": "#/a"}}, "schema_nested_id"),
    "old base": ({"not": {"id": "http://evil/", "$ref": "#/a"}}, "schema_nested_id"),
    "nowhere": ({"$ref": "#/$defs/a"}, "schema_unresolved_ref"),
    "no element": ({"$ref": "#/allOf/1", "allOf": [True]}, "schema_unresolved_ref"),
    "no number": ({"$ref": "#/allOf/-1", "allOf": [True]}, "schema_unresolved_ref"),
    "no anchor": ({"$ref": "#a"}, "schema_unresolved_ref"),
    "unknown draft": ({"$schema": "http://evil/schema"}, "schema_unknown_draft"),
    "no draft": ({"$schema": 7}, "schema_unknown_draft"),
    "third draft": ({"$schema": "http://json-schema.org/draft-03/schema#"}, "schema_unknown_draft"),
    "not a schema": ([], "schema_not_object"),
    "a boolean": (True, "schema_not_object"),
    "unsound type": ({"type": "strange"}, "schema_invalid"),
    "unsound properties": ({"properties": []}, "schema_invalid"),
    "unsound pattern": ({"pattern": "("}, "schema_pattern"),
    "look-ahead": ({"pattern": "^(?=a)b"}, "schema_pattern"),
    "back-reference": ({"pattern": r"^(a+)\1$"}, "schema_pattern"),
    "enormous pattern": ({"pattern": "((a{100}){100}){100}"}, "schema_pattern"),
    "pattern of names": ({"patternProperties": {"(?<=a)b": True}}, "schema_pattern"),
    "many patterns": (
        {"allOf": [{"pattern": f"a{number}"} for number in range(501)]},
        "schema_too_many_patterns",
    ),
    "patterns that fill memory": (
        {"allOf": [{"pattern": rf"(\w{{0,40}}x){{0,40}}{number}"} for number in range(400)]},
        "schema_invalid",
    ),
    "deep": (nested(33, "not"), "schema_too_deep"),
    "very deep": (nested(5000, "not"), "schema_too_deep"),
    "long chain": (chain(1500), "schema_too_deep"),
    "large": ({"enum": ["x" * 70_000]}, "schema_too_large"),
    "surrogate": ({"const": "\ud800"}, "schema_invalid"),
    "not a number": ({"maximum": float("nan"), "x": BIG}, "schema_invalid"),
    "allOf doubles": (doubling("allOf", 40, {"type": "object"}), "schema_too_complex"),
    "anyOf doubles": (doubling("anyOf", 40, {"type": "string"}), "schema_too_complex"),
    "oneOf doubles": (doubling("oneOf", 40, {"type": "string"}), "schema_too_complex"),
    "unevaluated, nested": (unevaluated(15), "schema_too_complex"),
    "unevaluated, chained": (unevaluated_by_reference(40), "schema_too_complex"),
}

STEEP = r"([a-z]{0,20}x){0,10}y"
RECURSIVE = {"properties": {"a": {"$ref": "#"}}}
CHECKED = {
    "classic ReDoS": ({"pattern": "^(a+)+$"}, "a" * 500_000 + "!"),
    "ReDoS in names": ({"patternProperties": {"^(a+)+$": True}}, {"a" * 500_000 + "!": 1}),
    "ReDoS in propertyNames": ({"propertyNames": {"pattern": "(a|aa)+$"}}, {"a" * 500_000: 1}),
    "e-mail ReDoS": ({"pattern": r"^([\w.-]+)+@([\w-]+\.)+\w+$"}, "a." * 250_000),
    "steep pattern": ({"pattern": STEEP}, noise("ax", 900_000)),
    "table explosion": ({"pattern": "[ax]*a[ax]{300}y[ax]"}, noise("ax", 900_000)),
    "many patterns": (
        {"allOf": [{"pattern": f"[ax]*a[ax]{{{size}}}z"} for size in range(20, 220)]},
        noise("ax", 900_000),
    ),
    "cycle": ({"$ref": "#"}, {}),
    "two-step cycle": (
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {},
    ),
    "cycle that fails": ({"$ref": "#", "type": "string"}, {}),
    "cycle in a definition": (
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a", "type": "string"}}},
        list(range(100_000)),
    ),
    "double cycle": ({"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "type": "string"}, {}),
    "dynamic cycle": ({"$dynamicAnchor": "a", "allOf": [{"$dynamicRef": "#a"}] * 3}, {}),
    "recursion that doubles": (
        {"anyOf": [{**RECURSIVE, "required": ["x"]}, {**RECURSIVE, "required": ["y"]}]},
        objects(60, 1),
    ),
    "all of recursion": ({"allOf": [RECURSIVE, RECURSIVE]}, objects(60, 1)),
    "recursion in patterns": (
        {**RECURSIVE, "patternProperties": {"a": {"$ref": "#"}, ".": {"$ref": "#"}}},
        objects(60, 1),
    ),
    "unevaluated recursion": (
        {**RECURSIVE, "allOf": [RECURSIVE], "unevaluatedProperties": False},
        objects(60, {"b": 1}),
    ),
    "doubling within bounds": (doubling("anyOf", 12, {"type": "string"}), [1] * 100_000),
    "doubling that fails": (doubling("anyOf", 16, {"type": "string"}), {}),
    "unevaluated within bounds": (unevaluated(9), {"b": 1}),
    "unevaluated that fails": (unevaluated(9), {"a": 1}),
    "huge enum": ({"items": {"enum": [str(n) for n in range(8000)]}}, [7] * 200_000),
    "mixed enum": ({"items": {"enum": [*map(str, range(8000)), 1]}}, ["7999"] * 100_000),
    "enum of objects": (
        {"items": {"enum": [{"a": n} for n in range(5000)]}},
        [{"a": -1}] * 50_000,
    ),
    "enum of big integers": (
        {"items": {"enum": [BIG + n for n in range(1500)]}},
        [BIG] * 20_000,
    ),
    "large constant": ({"items": {"const": list(range(9000))}}, [list(range(9000))] * 20),
    "unique big integers": ({"uniqueItems": True}, [BIG + n for n in range(20_000)]),
    "unique nested big integers": (
        {"items": {"uniqueItems": True}},
        [[[BIG + n] for n in range(20_000)]],
    ),
    "few unique big integers": ({"uniqueItems": True}, [BIG + n for n in range(100)]),
    "unique elements": ({"uniqueItems": True}, list(range(150_000))),
    "many name patterns": (
        {"patternProperties": {f"{n}[ab]": True for n in range(400)}},
        {str(n): 1 for n in range(50_000)},
    ),
    "many failing elements": ({"items": {"type": "string"}}, list(range(150_000))),
    "huge minLength": ({"minLength": 10**30}, "a"),
    "huge minItems": ({"minItems": 2**63}, []),
    "tiny multipleOf": ({"multipleOf": 1e-300}, 1e300),
    "deep value": ({"minProperties": 1}, objects(63, 1)),
    "unicode": ({"pattern": r"^\p{L}+$", "const": "\u202e\U000e0041"}, "\u202e\U000e0041" * 1000),
    "zero byte": ({"properties": {"\x00": {"type": "string"}}}, {"\x00": 1}),
    "format of a pattern": ({"format": "regex"}, "(" * 500_000),
}
