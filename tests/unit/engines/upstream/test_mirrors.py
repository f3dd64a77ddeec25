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


def test_a_list_is_no_header():
    """An argument that no header can carry would break the call."""
    marks = mirrors.find({"properties": {"a": {"x-mcp-header": "A"}}})
    assert mirrors.headers(marks, {"a": [1]}) == ()
    assert mirrors.find(None) == mirrors.find({"properties": []}) == ()
