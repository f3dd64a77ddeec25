"""From a request's body to a message, and from a message to a call."""

from agentxsuite.gateway.call import Call, Turn
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.http import Request
from agentxsuite.gateway.idempotency import read_key
from agentxsuite.gateway.jsonrpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    META,
    PARSE_ERROR,
    Message,
    RpcError,
    read_message,
)
from agentxsuite.gateway.mcp.exchange import Address
from agentxsuite.gateway.refusals import Malformed, TooLarge
from agentxsuite.wire import JSON

# A task would go on beyond its record, and what continues a call is not the upstream's to read.
NOT_FORWARDED = frozenset({"_meta", "task", "inputResponses", "requestState"})
KNOWN = {
    "tools/call": NOT_FORWARDED | {"name", "arguments"},
    "prompts/get": NOT_FORWARDED | {"name", "arguments"},
    "resources/read": NOT_FORWARDED | {"uri"},
}


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


def read_call(
    request: Request, address: Address, message: Message, gate: Gate, *, modern: bool
) -> Call:
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
        extra=extra_of(message),
        headers=request.headers if modern else None,
        turn=turn_of(message),
        request=message.id,
        key=key,
        named=request.text(b"x-agent"),
        certificate=request.certificate,
    )


def turn_of(message: Message) -> Turn | None:
    """What is brought to go on with a call; raises RpcError for what cannot be meant."""
    answers, state = message.params.get("inputResponses"), message.params.get("requestState")
    if answers is None and state is None:
        return None
    if not is_answers(answers) or not isinstance(state, str | None):
        sentence = "'inputResponses' must be an object of objects and 'requestState' a string."
        raise RpcError(INVALID_PARAMS, sentence)
    return Turn(answers, state)


def is_answers(value: JSON) -> bool:
    """Whether there are no answers, or each is an object, as every result is."""
    if value is None:
        return True
    return isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())


def extra_of(message: Message) -> dict[str, JSON]:
    """Parameters that are neither the method's own nor ours: the upstream gets them as they are."""
    known = KNOWN.get(message.method)
    if known is None:
        return {}
    return {name: value for name, value in message.params.items() if name not in known}


def is_ours(key: str) -> bool:
    """Whether a ``_meta`` key is between the client and this server, not for the upstream."""
    return key.startswith(META) or key == "progressToken"
