"""JSON-RPC 2.0 as MCP uses it: write requests, read what comes back. Pure."""

from collections.abc import Mapping
from typing import Any

from agentxsuite import masking, wire
from agentxsuite.engines.upstream.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRpcError,
)
from agentxsuite.wire import JSON

Message = dict[str, JSON]

METHOD_NOT_FOUND = -32601
HEADER_MISMATCH = -32020
UNSUPPORTED_VERSION = -32022

_MAX_MESSAGE = 1000  # characters of an upstream's error text that are passed on
_MAX_DATA = 64 * 1024  # bytes of what its error carries besides


def request(number: int, method: str, params: Mapping[str, Any]) -> bytes:
    """A request, serialised from the very values given."""
    return wire.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def notification(method: str, params: Mapping[str, Any] | None = None) -> bytes:
    """A message that wants no answer."""
    body: Message = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        body["params"] = params
    return wire.dumps(body)


def read(body: bytes) -> Message:
    """Parse one message; raises UpstreamProtocolError."""
    try:
        message = wire.loads(body)
    except ValueError as error:  # WireError, and integers beyond what Python converts
        raise UpstreamProtocolError(f"The upstream's answer is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise UpstreamProtocolError("The upstream's answer is not a JSON-RPC message.")
    return message


def is_response(message: Message) -> bool:
    """Whether the message answers a request instead of making one."""
    return "method" not in message


def progress_of(message: Message) -> int:
    """The number of the request whose progress a message tells; 0 where it tells of none."""
    params = message.get("params")
    token = params.get("progressToken") if isinstance(params, dict) else None
    if message.get("method") != "notifications/progress" or not isinstance(token, int):
        return 0
    return token


def outcome(message: Message, number: int) -> Message:
    """The result in an answer to request ``number``; raises the error it carries."""
    answered = message.get("id")
    error = message.get("error")
    # An upstream that could not read the id answers null (JSON-RPC 2.0 section 5).
    if not _same(answered, number) and (answered is not None or error is None):
        raise UpstreamProtocolError("The upstream answered another request than ours.")
    if error is not None:
        raise rpc_error(error)
    result = message.get("result")
    if not isinstance(result, dict):
        raise UpstreamProtocolError("The upstream's answer carries no result.")
    return result


def rpc_error(error: JSON) -> UpstreamError:
    """The exception for a JSON-RPC error object."""
    if not isinstance(error, dict):
        return UpstreamProtocolError("The upstream's error cannot be read.")
    code, message = error.get("code"), error.get("message")
    if type(code) is not int or not isinstance(message, str):
        return UpstreamProtocolError("The upstream's error cannot be read.")
    told = masking.mask(message[: 2 * _MAX_MESSAGE])[:_MAX_MESSAGE]
    return UpstreamRpcError(code, told, _masked(error.get("data")))


def _masked(data: JSON) -> JSON:
    """What an error carries besides, without our credentials; nothing where that cannot be said."""
    if data is None:
        return None
    body = wire.dumps(data)
    if len(body) > _MAX_DATA:
        return None
    try:
        return wire.loads(masking.mask(body.decode()).encode())
    except wire.WireError:  # a number was masked
        return None


def answer_for(message: Message) -> bytes | None:
    """What we say to a message of the upstream's own; None where nothing is due.

    We advertise no capability, so an upstream has little to ask: it is told that we live, that
    nobody fills in its form, and that everything else is unknown here.
    """
    number = message.get("id")
    if number is None or is_response(message):
        return None
    method = message["method"]
    if method == "ping":
        return wire.dumps({"jsonrpc": "2.0", "id": number, "result": {}})
    if method == "elicitation/create":
        return wire.dumps({"jsonrpc": "2.0", "id": number, "result": {"action": "decline"}})
    error = {"code": METHOD_NOT_FOUND, "message": "Method not found"}
    return wire.dumps({"jsonrpc": "2.0", "id": number, "error": error})


def _same(answered: JSON, number: int) -> bool:
    return type(answered) is int and answered == number
