"""The MCP door: ``/mcp/{org}/{env}/`` and ``/mcp/{org}/{env}/{connection}/``, JSON-RPC to Call.

Stateless in both eras. A refused call is an answer that a model can read, and the connection lives.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from agentxsuite import __version__, wire
from agentxsuite.gateway.call import Call
from agentxsuite.gateway.facts import Tool
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.http import (
    REPLAYED,
    Headers,
    Request,
    Send,
    about,
    problem,
    reply,
    unless_gone,
)
from agentxsuite.gateway.idempotency import read_key
from agentxsuite.gateway.jsonrpc import (
    HANDSHAKE,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    META,
    METHOD_NOT_FOUND,
    MODERN,
    PARSE_ERROR,
    Message,
    RpcError,
    error_status,
    is_modern,
    read_message,
)
from agentxsuite.gateway.pipeline import call_tool, list_tools, open_door
from agentxsuite.gateway.refusals import (
    Denied,
    InsufficientScope,
    Malformed,
    Refusal,
    TooLarge,
    Unauthenticated,
    Unknown,
)
from agentxsuite.wire import JSON

PAGE = 200  # tools in one answer of tools/list
FRESH_MS = 60_000
SERVER = {"name": "agentxsuite", "title": "AgentxSuite", "version": __version__}
CAPABILITIES: dict[str, JSON] = {"tools": {"listChanged": False}}
REFUSAL_KEY = "agentxsuite/refusal"


class Address(Struct, frozen=True):
    """Which environment, and with ``connection`` which single upstream, is addressed."""

    organization: str
    environment: str
    connection: str | None

    @property
    def path(self) -> str:
        """The environment's address, which credentials are bound to."""
        return f"/mcp/{self.organization}/{self.environment}/"


class Exchange(Struct, frozen=True):
    """One message at the door, what answering it needs, and the headers of its answer."""

    message: Message
    call: Call
    gate: Gate
    modern: bool
    headers: list[tuple[bytes, bytes]] = []


async def serve(request: Request, address: Address, gate: Gate, send: Send) -> None:
    """Answer one POST: a JSON-RPC response, 202 for what needs none, or an HTTP refusal."""
    message, modern = None, False
    try:
        message = await read_request(request)
        modern = is_modern(message, request)
        exchange = Exchange(message, read_call(request, address, message, gate), gate, modern)
        result = await unless_gone(answer(exchange), request.receive)
    except RpcError as error:
        await reply_error(send, error, message, modern=modern)
    except (Unauthenticated, InsufficientScope) as refusal:
        await problem(send, refusal, challenge(refusal, address, gate))
    except TooLarge as refusal:
        await problem(send, refusal)
    except Refusal as refusal:
        await reply_refusal(send, refusal, message, modern=modern)
    else:
        await reply_result(send, result, message, tuple(exchange.headers))


async def read_request(request: Request) -> Message:
    """The message in the body; raises RpcError or TooLarge."""
    try:
        body = await request.json()
    except TooLarge:
        raise
    except Malformed as error:
        code = PARSE_ERROR if error.code == "malformed_json" else INVALID_REQUEST
        raise RpcError(code, error.detail, {"code": error.code}) from None
    return read_message(body)


def read_call(request: Request, address: Address, message: Message, gate: Gate) -> Call:
    """The call that a message makes; raises RpcError for parameters of a wrong type, Malformed."""
    name, arguments, key = "", message.params.get("arguments", {}), None
    if message.method == "tools/call":
        name, key = message.params.get("name", ""), read_key(request)
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise RpcError(INVALID_PARAMS, "'name' must be a string and 'arguments' an object.")
    return Call(
        door="mcp",
        organization=address.organization,
        environment=address.environment,
        credential=request.text(b"authorization"),
        address=request.address,
        client=(request.text(b"user-agent") or "")[:200],
        received=gate.clock(),
        action="tool.invoke" if message.method == "tools/call" else "mcp.connect",
        tool=name,
        arguments=arguments,
        passthrough=address.connection,
        meta={name: value for name, value in message.meta.items() if not is_ours(name)},
        key=key,
    )


def is_ours(key: str) -> bool:
    """Whether a ``_meta`` key is between the client and this server, not for the upstream."""
    return key.startswith(META) or key == "progressToken"


async def answer(exchange: Exchange) -> dict[str, JSON] | None:
    """The result of a request; None for what is only acknowledged."""
    message = exchange.message
    if message.id is None:
        await open_door(exchange.call, exchange.gate)
        return None
    handle = (MODERN_METHODS if exchange.modern else HANDSHAKE_METHODS).get(message.method)
    if handle is None:
        await open_door(exchange.call, exchange.gate)
        raise RpcError(METHOD_NOT_FOUND, f"Method not found: {message.method[:100]}")
    result = await handle(exchange)
    if exchange.modern:
        meta = {**(result.get("_meta") or {}), f"{META}serverInfo": SERVER}
        return {"resultType": "complete", **result, "_meta": meta}
    return {key: value for key, value in result.items() if key != "resultType"}


async def discover(exchange: Exchange) -> dict[str, JSON]:
    """``server/discover``: what the modern era asks instead of ``initialize``."""
    await open_door(exchange.call, exchange.gate)
    versions = [MODERN, *HANDSHAKE]
    return {"supportedVersions": versions, "capabilities": CAPABILITIES, **caching()}


async def initialize(exchange: Exchange) -> dict[str, JSON]:
    """The handshake, answered without a session."""
    await open_door(exchange.call, exchange.gate)
    asked = exchange.message.params.get("protocolVersion")
    version = asked if asked in HANDSHAKE else HANDSHAKE[0]
    return {"protocolVersion": version, "capabilities": CAPABILITIES, "serverInfo": SERVER}


async def nothing(exchange: Exchange) -> dict[str, JSON]:
    """``ping`` and ``logging/setLevel``: an empty result."""
    await open_door(exchange.call, exchange.gate)
    return {}


async def tools_list(exchange: Exchange) -> dict[str, JSON]:
    """One page of the tools this caller could call with some arguments."""
    after = cursor_name(exchange.message.params.get("cursor"))
    tools = [tool for tool in await list_tools(exchange.call, exchange.gate) if tool.name > after]
    plain = exchange.call.passthrough is not None
    result: dict[str, JSON] = {"tools": [described(tool, plain=plain) for tool in tools[:PAGE]]}
    if len(tools) > PAGE:
        result["nextCursor"] = base64.urlsafe_b64encode(tools[PAGE - 1].name.encode()).decode()
    return result | (caching() if exchange.modern else {})


async def tools_call(exchange: Exchange) -> dict[str, JSON]:
    """The governed call; the upstream's result as it came."""
    entry = await call_tool(exchange.call, exchange.gate)
    if entry.replayed:
        exchange.headers.extend(REPLAYED)
    return dict(entry.outcome.result) if entry.outcome else {}


Handler = Callable[[Exchange], Awaitable[dict[str, JSON]]]
MODERN_METHODS: Mapping[str, Handler] = {
    "server/discover": discover,
    "tools/list": tools_list,
    "tools/call": tools_call,
}
HANDSHAKE_METHODS: Mapping[str, Handler] = {
    "initialize": initialize,
    "ping": nothing,
    "logging/setLevel": nothing,
    "tools/list": tools_list,
    "tools/call": tools_call,
}


def described(tool: Tool, *, plain: bool) -> dict[str, JSON]:
    """The approved definition under the name this address knows it by."""
    return {**tool.definition, "name": tool.upstream_name if plain else tool.mcp_name}


def cursor_name(cursor: JSON) -> str:
    """The last name of the page before; raises RpcError for a cursor that is not ours."""
    if cursor is None:
        return ""
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (TypeError, binascii.Error, ValueError):
        raise RpcError(INVALID_PARAMS, "'cursor' is not one that tools/list gave.") from None


def caching() -> dict[str, JSON]:
    """How long a client may keep the answer; what is listed depends on who asks."""
    return {"ttlMs": FRESH_MS, "cacheScope": "private"}


def challenge(refusal: Refusal, address: Address, gate: Gate) -> Headers:
    """``WWW-Authenticate`` with where to learn of this resource (RFC 9728 section 5.1)."""
    parts = [
        f'resource_metadata="{gate.public_url}/.well-known/oauth-protected-resource{address.path}"'
    ]
    scope = refusal.scope if isinstance(refusal, InsufficientScope) else "tool.invoke"
    parts.append(f'scope="{scope}"')
    if isinstance(refusal, InsufficientScope):
        parts.insert(0, 'error="insufficient_scope"')
    elif refusal.code != "unauthenticated":
        parts.insert(0, 'error="invalid_token"')
    return ((b"www-authenticate", f"Bearer {', '.join(parts)}".encode()),)


async def reply_result(
    send: Send, result: dict[str, JSON] | None, message: Message, headers: Headers = ()
) -> None:
    """A response, or 202 for a notification."""
    if result is None:
        return await reply(send, 202, b"")
    body = {"jsonrpc": "2.0", "id": message.id, "result": result}
    return await reply(send, 200, wire.dumps(body), headers=headers)


async def reply_error(
    send: Send, error: RpcError, message: Message | None, *, modern: bool, headers: Headers = ()
) -> None:
    """A JSON-RPC error under the status of its era."""
    identity = message.id if message else None
    body = {"jsonrpc": "2.0", "id": identity, "error": error.body()}
    status = error_status(error, modern=modern)
    await reply(send, status, wire.dumps(body), headers=headers)


async def reply_refusal(
    send: Send, refusal: Refusal, message: Message | None, *, modern: bool
) -> None:
    """A refusal in MCP's words: unknown and unlisted look alike, all else a model can read."""
    calling = message is not None and message.method == "tools/call"
    if isinstance(refusal, Unknown) or (isinstance(refusal, Denied) and not refusal.listed):
        name = str(message.params.get("name", ""))[:100] if message else ""
        error = RpcError(INVALID_PARAMS, f"Unknown tool: {name}", {"code": "tool_unknown"})
        await reply_error(send, error, message, modern=modern)
    elif calling and message is not None:
        result = refused_result(refusal, modern=modern)
        await reply_result(send, result, message, about(refusal))
    else:
        data = {"code": refusal.code, "retry_after": refusal.retry_after}
        error = RpcError(INTERNAL_ERROR, refusal.detail, data)
        await reply_error(send, error, message, modern=modern, headers=about(refusal))


def refused_result(refusal: Refusal, *, modern: bool) -> dict[str, JSON]:
    """A tool result that says why, to the model in words and to the program in ``_meta``."""
    known = refusal.recorded
    told: dict[str, JSON] = {
        "code": refusal.code,
        "run_id": known.run_id if known else None,
        "decision_id": known.decision_id if known else None,
        "retry_after": refusal.retry_after,
    }
    if refusal.errors:
        told["errors"] = list(refusal.errors)
    meta: dict[str, JSON] = {REFUSAL_KEY: told}
    result: dict[str, JSON] = {
        "content": [{"type": "text", "text": refusal.detail}],
        "isError": True,
    }
    if modern:
        return {**result, "resultType": "complete", "_meta": {**meta, f"{META}serverInfo": SERVER}}
    return {**result, "_meta": meta}
