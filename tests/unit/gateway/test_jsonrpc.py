"""JSON-RPC envelopes and protocol eras, as messages come off the wire."""

import base64

import pytest

from agentxsuite.gateway import jsonrpc
from agentxsuite.gateway.http import Request
from agentxsuite.gateway.jsonrpc import MODERN, Message, RpcError, is_modern, read_message

VERSION = f"{jsonrpc.META}protocolVersion"
CAPABILITIES = f"{jsonrpc.META}clientCapabilities"


async def nothing():
    return {"type": "http.disconnect"}


def asked(**headers: str) -> Request:
    """A request with these headers; underscores stand for dashes."""
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": "POST", "path": "/", "headers": lines, "client": ("127.0.0.1", 1)}
    return Request.read(scope, nothing)


def modern(method="tools/call", version=MODERN, **params) -> Message:
    return Message(1, method, {**params, "_meta": {VERSION: version, CAPABILITIES: {}}})


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        7,
        None,
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 7},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []},
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        {"jsonrpc": "2.0", "id": True, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
        [{"jsonrpc": "2.0", "id": 1, "method": "ping"}],
    ],
)
def test_what_is_no_single_message_is_refused(body):
    """A batch or a malformed envelope would otherwise slip past as something else."""
    with pytest.raises(RpcError) as refused:
        read_message(body)
    assert refused.value.code == jsonrpc.INVALID_REQUEST


@pytest.mark.parametrize("identity", [0, "a", 10**30])
def test_an_id_comes_back_as_it_was(identity):
    """A client could not match the answer to its request."""
    body = {"jsonrpc": "2.0", "id": identity, "method": "ping"}
    assert read_message(body) == Message(identity, "ping", {})


def test_a_request_that_cannot_be_read_is_refused_under_its_id():
    """Otherwise: a client waits for ever for the answer to a request that it wrote badly."""
    told = {"jsonrpc": "2.0", "method": "ping", "params": None}
    for identity, expected in ((7, 7), ("a", "a"), (1.5, None)):
        with pytest.raises(RpcError) as refused:
            read_message({**told, "id": identity})
        assert refused.value.id == expected


def test_notifications_and_stray_responses_have_no_id():
    """Clients of the handshake era would see errors for what needs no answer."""
    assert read_message({"jsonrpc": "2.0", "method": "notifications/initialized"}).id is None
    assert read_message({"jsonrpc": "2.0", "id": 3, "result": {}}) == Message(None, "", {})
    assert read_message({"jsonrpc": "2.0", "id": 3, "error": {}}) == Message(None, "", {})


@pytest.mark.parametrize("version", [*jsonrpc.HANDSHAKE, None])
def test_the_handshake_era_is_told_by_its_header_or_by_none(version):
    """Half of today's clients open with initialize and could not connect."""
    headers = {"mcp_protocol_version": version} if version else {}
    assert not is_modern(Message(1, "initialize", {}), asked(**headers))


def test_the_modern_era_needs_headers_that_agree_with_the_body():
    """A proxy that routes by header and a server that reads the body would see two requests."""
    headers = {"mcp_protocol_version": MODERN, "mcp_method": "tools/call", "mcp_name": " echo "}
    assert is_modern(modern(name="echo"), asked(**headers))


def test_a_notice_of_the_modern_era_needs_no_envelope():
    """Otherwise: a client that only tells something gets an error that answers nothing."""
    told = Message(None, "notifications/cancelled", {"requestId": 1})
    assert is_modern(told, asked(mcp_protocol_version=MODERN))


@pytest.mark.parametrize(
    ("headers", "message", "code"),
    [
        ({}, modern(), jsonrpc.HEADER_MISMATCH),
        ({"mcp_protocol_version": MODERN}, Message(1, "ping", {}), jsonrpc.INVALID_PARAMS),
        (
            {"mcp_protocol_version": MODERN},
            Message(1, "ping", {"_meta": {VERSION: MODERN}}),
            jsonrpc.INVALID_PARAMS,
        ),
        (
            {"mcp_protocol_version": MODERN},
            Message(1, "ping", {"_meta": "text"}),
            jsonrpc.INVALID_PARAMS,
        ),
        (
            {"mcp_protocol_version": MODERN},
            Message(1, "ping", {"_meta": {VERSION: MODERN, CAPABILITIES: ["sampling"]}}),
            jsonrpc.INVALID_PARAMS,
        ),
        ({"mcp_protocol_version": "2025-11-25"}, modern(), jsonrpc.HEADER_MISMATCH),
        (
            {"mcp_protocol_version": "2024-11-05"},
            Message(1, "tools/list", {}),
            jsonrpc.UNSUPPORTED_VERSION,
        ),
        (
            {"mcp_protocol_version": MODERN, "mcp_method": "ping"},
            modern(version="2027-01-01"),
            jsonrpc.HEADER_MISMATCH,
        ),
        ({"mcp_protocol_version": MODERN}, modern(), jsonrpc.HEADER_MISMATCH),
        (
            {"mcp_protocol_version": MODERN, "mcp_method": "tools/call"},
            modern(name="echo"),
            jsonrpc.HEADER_MISMATCH,
        ),
        (
            {"mcp_protocol_version": MODERN, "mcp_method": "tools/call", "mcp_name": "other"},
            modern(name="echo"),
            jsonrpc.HEADER_MISMATCH,
        ),
        (
            {"mcp_protocol_version": "2031-01-01", "mcp_method": "tools/call"},
            modern(version="2031-01-01"),
            jsonrpc.UNSUPPORTED_VERSION,
        ),
        (
            {"mcp_protocol_version": "2031-01-01"},
            Message(None, "notifications/x", {}),
            jsonrpc.UNSUPPORTED_VERSION,
        ),
    ],
)
def test_a_request_that_contradicts_itself_is_refused(headers, message, code):
    """Whoever checks the header would judge another call than the one that runs."""
    with pytest.raises(RpcError) as refused:
        is_modern(message, asked(**headers))
    assert refused.value.code == code


def test_an_unsupported_version_names_the_supported_ones():
    """A newer client could not fall back."""
    message = modern(version="2031-01-01")
    headers = {"mcp_protocol_version": "2031-01-01", "mcp_method": "tools/call"}
    with pytest.raises(RpcError) as refused:
        is_modern(message, asked(**headers))
    data = refused.value.body()["data"]
    assert data == {"supported": [MODERN, *jsonrpc.HANDSHAKE], "requested": "2031-01-01"}


def test_wrapped_header_values_are_unwrapped():
    """A tool with a name beyond ASCII could not be called by modern clients."""
    wrapped = base64.b64encode("größe".encode()).decode()
    headers = {"mcp_protocol_version": MODERN, "mcp_method": "tools/call"}
    assert is_modern(modern(name="größe"), asked(**headers, mcp_name=f"=?base64?{wrapped}?="))


@pytest.mark.parametrize(
    ("code", "era", "status"),
    [
        (jsonrpc.METHOD_NOT_FOUND, True, 404),
        (jsonrpc.METHOD_NOT_FOUND, False, 200),
        (jsonrpc.INVALID_PARAMS, True, 400),
        (jsonrpc.INVALID_PARAMS, False, 200),
        (jsonrpc.PARSE_ERROR, False, 400),
        (jsonrpc.INTERNAL_ERROR, True, 200),
    ],
)
def test_an_error_travels_under_the_status_of_its_era(code, era, status):
    """Clients of one era give up on a status that the other asks for."""
    assert jsonrpc.error_status(RpcError(code, "no"), modern=era) == status


def test_a_modern_request_without_its_envelope_is_a_bad_request():
    """Otherwise: a client takes the refusal of its request for an answer to it."""
    with pytest.raises(RpcError) as refused:
        is_modern(Message(1, "ping", {}), asked(mcp_protocol_version=MODERN))
    assert jsonrpc.error_status(refused.value, modern=False) == 400
