"""Which of an upstream's complaints about capabilities are about the client's own."""

import pytest

from agentxsuite.gateway.jsonrpc import META, Message
from agentxsuite.gateway.mcp.lacking import is_lacking
from agentxsuite.gateway.refusals import UpstreamRefused


def lacking(required, declared, code=-32021):
    data = {"requiredCapabilities": required}
    message = Message(1, "tools/call", {"_meta": {f"{META}clientCapabilities": declared}})
    return is_lacking(UpstreamRefused("It refused.", code, "no", data), message)


@pytest.mark.parametrize(
    ("required", "declared"),
    [
        ({"sampling": {}}, {}),
        ({"sampling": {}}, None),
        ({"sampling": {"tools": {}}}, {"sampling": {}}),
        ({"sampling": {"tools": {}}}, {"sampling": True}),
        ({"elicitation": {}, "roots": {}}, {"roots": {}}),
    ],
)
def test_what_the_client_did_not_declare_it_hears_of(required, declared):
    """Otherwise: a client is not told what it has to declare for a tool."""
    assert lacking(required, declared) is True


@pytest.mark.parametrize(
    ("required", "declared"),
    [
        ({"tasks": {}}, {"tasks": {}}),
        ({"sampling": True}, {"sampling": {}}),
        ({}, {}),
        ([], {}),
        (None, None),
    ],
)
def test_what_it_declared_is_not_its_lack(required, declared):
    """Otherwise: a client is asked for ever to declare what it declares."""
    assert lacking(required, declared) is False


def test_other_errors_are_not_about_capabilities():
    """Otherwise: a tool's own error ends calls as if the client were wrong."""
    assert lacking({"sampling": {}}, {}, code=-32602) is False
    message = Message(1, "tools/call", {})
    assert is_lacking(UpstreamRefused("It refused.", -32021, "no", None), message) is False
