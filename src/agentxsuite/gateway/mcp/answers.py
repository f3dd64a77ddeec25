"""What a message is answered, in its era: results, errors, refusals, HTTP's own refusals."""

from msgspec import Struct

from agentxsuite import __version__, wire
from agentxsuite.gateway.http import Headers, Request, Send, about, problem, reply
from agentxsuite.gateway.jsonrpc import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    META,
    MISSING_CAPABILITY,
    RESOURCE_NOT_FOUND,
    UNSUPPORTED_VERSION,
    Message,
    RpcError,
    error_status,
)
from agentxsuite.gateway.mcp.exchange import Address, Exchange, Reply, Result
from agentxsuite.gateway.mcp.lacking import is_lacking
from agentxsuite.gateway.protected import SCOPES, metadata_address
from agentxsuite.gateway.refusals import (
    Contradicted,
    Denied,
    InsufficientScope,
    Invalid,
    Refusal,
    StateRefused,
    TooLarge,
    Unauthenticated,
    Unknown,
    UpstreamRefused,
)
from agentxsuite.wire import JSON

SERVER = {"name": "agentxsuite", "title": "AgentxSuite", "version": __version__}
REFUSAL_KEY = "agentxsuite/refusal"
OF_THE_WIRE = (HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION)  # between two neighbours
TOLD_LENGTH = 500  # characters of a name that a caller made up
NOUNS = {"resources/read": ("resource", "uri"), "prompts/get": ("prompt", "name")}


class Answer(Struct, frozen=True):
    """One JSON-RPC message, or nothing, under an HTTP status."""

    status: int
    content: dict[str, JSON] | None
    headers: Headers = ()

    async def deliver(self, _request: Request, send: Send, /) -> None:
        """Send it whole."""
        body = b"" if self.content is None else wire.dumps(self.content)
        await reply(send, self.status, body, headers=self.headers)


class Problem(Struct, frozen=True):
    """A refusal in HTTP's own words."""

    refusal: Refusal
    headers: Headers = ()

    async def deliver(self, _request: Request, send: Send, /) -> None:
        """Send it whole."""
        await problem(send, self.refusal, self.headers)


class Whence(Struct, frozen=True):
    """What a refusal is the answer to: the message as far as it was read, and where it came."""

    message: Message | None
    modern: bool
    address: Address
    public_url: str

    @classmethod
    def of(cls, exchange: Exchange) -> "Whence":
        """The message of an exchange."""
        return cls(exchange.message, exchange.modern, exchange.address, exchange.gate.public_url)


def accepted() -> Answer:
    """The acknowledgement of a message that has no answer."""
    return Answer(202, None)


def finished(result: Result, exchange: Exchange) -> Answer:
    """A handler's result as a response of the exchange's era."""
    if exchange.modern:
        meta = {**(result.get("_meta") or {}), f"{META}serverInfo": SERVER}
        result = {"resultType": "complete", **result, "_meta": meta}
    elif "resultType" in result:
        result = {key: value for key, value in result.items() if key != "resultType"}
    return response(exchange.message, result, tuple(exchange.headers))


def response(message: Message, result: Result, headers: Headers = ()) -> Answer:
    """A response as it stands."""
    return Answer(200, {"jsonrpc": "2.0", "id": message.id, "result": result}, headers)


def refused(no: RpcError | Refusal, whence: Whence) -> Reply:
    """A refusal in MCP's words: unknown and unlisted look alike, all else a model can read."""
    no = protocol_error(no, whence)
    if isinstance(no, RpcError):
        return error(no, whence)
    if isinstance(no, Unauthenticated | InsufficientScope):
        return Problem(no, challenge(no, whence))
    if isinstance(no, TooLarge):
        return Problem(no)
    if isinstance(no, Unknown) or (isinstance(no, Denied) and not no.listed):
        return error(unknown(whence), whence)
    if whence.message is not None and whence.message.method == "tools/call":
        return response(whence.message, refused_result(no, modern=whence.modern), about(no))
    return error(rpc_error(no), whence, about(no))


def protocol_error(no: RpcError | Refusal, whence: Whence) -> RpcError | Refusal:
    """What the protocol has an error of its own for, whatever the method; else as it is."""
    if isinstance(no, Contradicted):
        return RpcError(HEADER_MISMATCH, no.detail, told(no))
    if isinstance(no, StateRefused):
        return RpcError(INVALID_PARAMS, no.detail, told(no))
    if isinstance(no, UpstreamRefused) and whence.modern and whence.message is not None:
        return own_error(no) if is_lacking(no, whence.message) else no
    return no


def error(no: RpcError, whence: Whence, headers: Headers = ()) -> Answer:
    """A JSON-RPC error under the status of its era."""
    identity = whence.message.id if whence.message else no.id
    content = {"jsonrpc": "2.0", "id": identity, "error": no.body()}
    return Answer(error_status(no, modern=whence.modern), content, headers)


def rpc_error(no: Refusal) -> RpcError:
    """A refusal where there is no result to put it in; an upstream's own error as it came."""
    if isinstance(no, UpstreamRefused) and no.rpc_code not in OF_THE_WIRE:
        return own_error(no)
    code = INVALID_PARAMS if isinstance(no, Invalid) else INTERNAL_ERROR
    return RpcError(code, no.detail, told(no))


def own_error(no: UpstreamRefused) -> RpcError:
    """An upstream's error as it came."""
    return RpcError(no.rpc_code, no.message, no.data)


def unknown(whence: Whence) -> RpcError:
    """What is said of a thing that is not there, or that one may not see."""
    method = whence.message.method if whence.message else ""
    named = whence.message.params if whence.message else {}
    noun, key = NOUNS.get(method, ("tool", "name"))
    if isinstance(ref := named.get("ref"), dict):
        named = ref
        noun, key = ("resource", "uri") if ref.get("type") == "ref/resource" else ("prompt", "name")
    name = str(named.get(key, ""))[:TOLD_LENGTH]
    data: dict[str, JSON] = {"code": f"{noun}_unknown"}
    code = INVALID_PARAMS
    if noun == "resource":
        data["uri"] = name
        code = INVALID_PARAMS if whence.modern else RESOURCE_NOT_FOUND
    return RpcError(code, f"Unknown {noun}: {name}", data)


def told(refusal: Refusal) -> dict[str, JSON]:
    """What a program may know of a refusal."""
    known = refusal.recorded
    facts: dict[str, JSON] = {
        "code": refusal.code,
        "run_id": known.run_id if known else None,
        "decision_id": known.decision_id if known else None,
        "retry_after": refusal.retry_after,
    }
    return facts | {"errors": list(refusal.errors)} if refusal.errors else facts


def refused_result(refusal: Refusal, *, modern: bool) -> dict[str, JSON]:
    """A tool result that says why, to the model in words and to the program in ``_meta``."""
    meta: dict[str, JSON] = {REFUSAL_KEY: told(refusal)}
    result: dict[str, JSON] = {
        "content": [{"type": "text", "text": refusal.detail}],
        "isError": True,
    }
    if modern:
        return {**result, "resultType": "complete", "_meta": {**meta, f"{META}serverInfo": SERVER}}
    return {**result, "_meta": meta}


def challenge(refusal: Refusal, whence: Whence) -> Headers:
    """``WWW-Authenticate`` with where to learn of this resource (RFC 9728 section 5.1)."""
    where = metadata_address(whence.public_url, whence.address.exact)
    parts = [f'resource_metadata="{where}"']
    scope = refusal.scope if isinstance(refusal, InsufficientScope) else " ".join(SCOPES)
    parts.append(f'scope="{scope}"')
    if isinstance(refusal, InsufficientScope):
        parts.insert(0, 'error="insufficient_scope"')
    elif refusal.code != "unauthenticated":
        parts.insert(0, 'error="invalid_token"')
    return ((b"www-authenticate", f"Bearer {', '.join(parts)}".encode()),)
