"""JSON-RPC 2.0 messages over Streamable HTTP, in both protocol eras.

The modern era (2026-07-28) is stateless: every request carries its version and the client's
capabilities in ``params._meta`` and repeats version, method and name in headers. The handshake era
opens with ``initialize``. Which one is spoken is told by the header ``MCP-Protocol-Version``.
"""

from collections.abc import Mapping

from msgspec import Struct

from agentxsuite.engines.upstream import mirrors
from agentxsuite.gateway.http import Request
from agentxsuite.wire import JSON

MODERN = "2026-07-28"
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")
META = "io.modelcontextprotocol/"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
ENVELOPE = (  # of params._meta
    (f"{META}protocolVersion", str, "a string"),
    (f"{META}clientCapabilities", dict, "an object"),
)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
RESOURCE_NOT_FOUND = -32002  # in the handshake era only
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022

MODERN_STATUS = {  # of an error; any other travels in a 200, as results do
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    MISSING_CAPABILITY: 400,
    UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}


class RpcError(Exception):
    """A JSON-RPC error to answer; ``code`` and ``data`` as the specification has them.

    ``id`` is that of a request which could not be read otherwise.
    """

    def __init__(self, code: int, message: str, data: JSON = None, identity: JSON = None) -> None:
        super().__init__(message)
        self.id = identity if is_id(identity) else None
        self.code = code
        self.message = message
        self.data = data

    def body(self) -> dict[str, JSON]:
        """The ``error`` member."""
        content: dict[str, JSON] = {"code": self.code, "message": self.message}
        return content if self.data is None else content | {"data": self.data}


class EnvelopeError(RpcError):
    """A request that speaks the modern era and does not describe itself as that era wants."""


class Message(Struct, frozen=True):
    """One request (``id`` set), notification (``id`` None) or stray response (``method`` empty)."""

    id: str | int | None
    method: str
    params: Mapping[str, JSON]

    @property
    def meta(self) -> Mapping[str, JSON]:
        """``params._meta``, or nothing."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


def read_message(body: JSON) -> Message:
    """One JSON-RPC message; raises RpcError for anything else, batches included."""
    told = fault(body)
    if told:
        identity = body.get("id") if isinstance(body, dict) else None
        raise RpcError(INVALID_REQUEST, told, identity=identity)
    if is_response(body):
        return Message(None, "", {})
    return Message(body.get("id"), body["method"], body.get("params", {}))


def fault(body: JSON) -> str | None:
    """What keeps a body from being one message, if anything does."""
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0":
        return "The body must be one JSON-RPC 2.0 message."
    if is_response(body):
        return None
    if not isinstance(body.get("method"), str) or not isinstance(body.get("params", {}), dict):
        return "'method' must be a string and 'params' an object."
    if "id" in body and not is_id(body["id"]):
        return "'id' must be a string or an integer."
    return None


def is_response(body: Mapping[str, JSON]) -> bool:
    """Whether a message answers something; nobody here has asked."""
    return body.get("method") is None and ("result" in body or "error" in body)


def is_id(value: JSON) -> bool:
    """Whether MCP allows it as a request's id."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def is_modern(message: Message, request: Request) -> bool:
    """Which era the request speaks; raises RpcError where it contradicts itself."""
    version = request.text(b"mcp-protocol-version")
    stated = message.meta.get(f"{META}protocolVersion")
    if version is None and stated is not None:
        raise RpcError(HEADER_MISMATCH, "The header MCP-Protocol-Version is missing.")
    if stated is not None and stated != version:
        raise mismatch("MCP-Protocol-Version")
    if version is None or version in HANDSHAKE:
        return False
    if version != MODERN:
        supported = [MODERN, *HANDSHAKE]
        data = {"supported": supported, "requested": version}
        raise RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", data)
    if message.id is not None:
        check_envelope(message, request)
    return True


def check_envelope(message: Message, request: Request) -> None:
    """What every modern request carries, and that its headers agree with it; raises RpcError."""
    for key, kind, noun in ENVELOPE:
        if not isinstance(message.meta.get(key), kind):
            raise EnvelopeError(INVALID_PARAMS, f"params._meta lacks '{key}', which is {noun}.")
    if request.text(b"mcp-method") != message.method:
        raise mismatch("Mcp-Method")
    named = message.params.get(NAMED.get(message.method, ""))
    if named is not None and mirrors.decoded(request.text(b"mcp-name") or "") != named:
        raise mismatch("Mcp-Name")


def mismatch(header: str) -> RpcError:
    """A header that says something else than the body."""
    return RpcError(HEADER_MISMATCH, f"The header {header} does not agree with the body.")


def error_status(error: RpcError, *, modern: bool) -> int:
    """The HTTP status an error travels under."""
    modern = modern or isinstance(error, EnvelopeError)
    if modern or error.code in (PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH, UNSUPPORTED_VERSION):
        return MODERN_STATUS.get(error.code, 200)
    return 200
