"""Arguments repeated in headers, as the SDK's server reads them."""

import pytest
from mcp.shared.inbound import decode_header_value, validate_mcp_param_headers

from agentxsuite.engines.upstream import mirrors

SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "dry": {"type": "boolean", "x-mcp-header": "Dry"},
        "at": {
            "type": "object",
            "properties": {"zone": {"type": "string", "x-mcp-header": "Zone"}},
        },
        "plain": {"type": "string"},
        "odd": True,
        "bad": {"type": "string", "x-mcp-header": "a b"},
    },
}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"region": "eu", "count": 3, "dry": True, "at": {"zone": "a"}, "plain": "p"},
        {"region": "zürich", "count": 10**30, "dry": False, "at": {}},
        {"region": " edge ", "at": "not an object"},
        {"region": "=?base64?eA==?=", "count": None},
        {"region": "", "count": -1},
        {"region": "a\r\nb: c"},
    ],
)
def test_the_sdk_agrees(arguments):
    """A tool that routes by headers would refuse the call."""
    schema = {**SCHEMA, "properties": dict(SCHEMA["properties"])}
    del schema["properties"]["bad"]
    headers = mirrors.headers(mirrors.find(SCHEMA), arguments)
    assert validate_mcp_param_headers(schema, arguments, dict(headers)) is None
    assert len(headers) == sum(
        arguments.get(name) is not None for name in ("region", "count", "dry")
    ) + ("zone" in arguments.get("at", ""))


@pytest.mark.parametrize("text", ["", "a", "a b", " a", "a ", "ä", "=?base64?x?=", "\x00", "a\nb"])
def test_any_text_survives(text):
    """A tool with an unusual name could not be called, or could forge a header."""
    encoded = mirrors.encoded(text)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert decode_header_value(encoded) == text


@pytest.mark.parametrize(
    ("arguments", "header", "agrees"),
    [
        ({"region": "eu"}, "eu", True),
        ({"region": "eu"}, "us", False),
        ({"region": "eu"}, None, False),
        ({"region": None}, None, True),
        ({}, "eu", False),
        ({"region": ["eu"]}, None, True),
        ({"region": "zürich"}, "=?base64?esO8cmljaA==?=", True),
        ({"region": "Hello"}, "=?base64?SGVsbG8?=", False),
        ({"region": "Hello"}, "=?base64?/w==?=", False),
        ({"region": "042"}, "42", False),
        ({"count": 42}, "42.0", True),
        ({"count": 42.0}, "42", True),
        ({"count": 42}, "43", False),
        ({"count": 42}, "4_2", False),
        ({"count": 10**30}, str(10**30), True),
        ({"dry": True}, "true", True),
        ({"dry": True}, "1", False),
    ],
)
def test_headers_say_what_the_arguments_say(arguments, header, agrees):
    """Otherwise: a proxy routes by one value, and the tool runs with another."""
    name = next(iter(arguments), "region")
    given = {} if header is None else {f"mcp-param-{name}".encode(): header.encode()}
    marks = mirrors.find(SCHEMA)
    told = mirrors.contradicted(marks, arguments, given)
    assert told == (None if agrees else f"Mcp-Param-{name.title()}")


@pytest.mark.parametrize("text", ["", "a", " a", "ä", "=?base64?x?=", "\x00", "a\nb"])
def test_what_was_encoded_is_decoded(text):
    """Otherwise: a name beyond ASCII is another one at the other end."""
    assert mirrors.decoded(mirrors.encoded(text)) == text


def test_a_list_is_no_header():
    """An argument that no header can carry would break the call."""
    marks = mirrors.find({"properties": {"a": {"x-mcp-header": "A"}}})
    assert mirrors.headers(marks, {"a": [1]}) == ()
    assert mirrors.find(None) == mirrors.find({"properties": []}) == ()
