"""How every refusal is described: one shape, one list of codes, one response for each status."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

Schema = dict[str, Any]

PROBLEM_TYPE: Final = "application/problem+json"
BEARER: Final = {"WWW-Authenticate": "How to show who is calling."}
WAIT: Final = {"Retry-After": "After how many seconds it is worth trying again."}
# Beside an answer to a request with an `Idempotency-Key`.
REPLAYED: Final[Schema] = {
    "Idempotency-Replayed": {
        "description": "`true` where this was told before.",
        "schema": {"type": "string", "const": "true"},
    }
}

# Which component stands for a status, what it means, and the headers that come with it.
STATUSES: Final[Mapping[int, tuple[str, str, Mapping[str, str]]]] = {
    400: ("BadRequest", "The request does not say what it must; `errors` tells where.", {}),
    401: ("Unauthenticated", "No credential, or none that is accepted.", BEARER),
    403: ("Forbidden", "The caller sees it, but may not do that to it.", {}),
    404: ("NotFound", "Missing or foreign; the two are not told apart.", {}),
    405: ("MethodNotAllowed", "The address answers other methods.", {}),
    406: ("NotAcceptable", "Answers are JSON, which `Accept` rules out (`not_acceptable`).", {}),
    409: ("Conflict", "What is there already does not allow it.", {}),
    412: ("PreconditionFailed", "Somebody changed it meanwhile: read it again.", {}),
    413: ("TooLarge", "The body is larger than 1 MiB.", {}),
    415: ("UnsupportedMediaType", "The body is not JSON (`unsupported_media_type`).", {}),
    422: ("KeyReused", "This `Idempotency-Key` belongs to another request.", {}),
    429: ("TooManyRequests", "Too often.", WAIT),
    502: ("UpstreamFailed", "The upstream failed, or did not answer as MCP says.", {}),
    503: ("Unavailable", "Something needed for a safe answer is down; nothing was done.", {}),
    504: ("UpstreamTimedOut", "The upstream did not answer in time.", {}),
}


@cache
def codes() -> tuple[str, ...]:
    """Return every error code, in order; the page docs/api/errors.md says what each one means."""
    return tuple(files(__package__).joinpath("codes.txt").read_text().split())


def components() -> Schema:
    """Return the components that operations refer to."""
    return {
        "responses": {name: _response(said, headers) for name, said, headers in STATUSES.values()},
        "schemas": {"Problem": _problem(), "Fault": _fault(), "ErrorCode": _code()},
    }


def responses(statuses: set[int]) -> Iterator[tuple[str, Schema]]:
    """Yield a reference for each status, in order."""
    for status in sorted(statuses):
        yield str(status), {"$ref": f"#/components/responses/{STATUSES[status][0]}"}


def _response(description: str, headers: Mapping[str, str]) -> Schema:
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    response: Schema = {"description": description, "content": content}
    if headers:
        always = {"required": True, "schema": {"type": "string"}}
        response["headers"] = {
            name: {"description": said, **always} for name, said in headers.items()
        }
    return response


def _code() -> Schema:
    return {
        "type": "string",
        "enum": list(codes()),
        "description": "What went wrong, for programs; it never changes its meaning.",
    }


def _fault() -> Schema:
    return {
        "type": "object",
        "description": "One thing wrong with a request.",
        "properties": {
            "path": {"type": "string", "description": "A JSON Pointer (RFC 6901) into the body."},
            "message": {"type": "string"},
            "keyword": {
                "type": "string",
                "description": "What of the tool's schema it is against.",
            },
        },
        "required": ["path", "message"],
    }


def _denial() -> Schema:
    uuid, text = {"type": "string", "format": "uuid"}, {"type": "string"}
    properties = {"policy_id": uuid, "policy": text, "rule_id": uuid, "rule": text}
    return {
        "type": "object",
        "description": "The rule that denies it, which no allow outweighs.",
        "properties": {**properties, "policy_version": {"type": "integer"}},
        "required": sorted([*properties, "policy_version"]),
    }


def _problem() -> Schema:
    uuid = {"type": "string", "format": "uuid"}
    faults = {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}}
    looked_at = "What the deciding conditions looked at, as JSON Pointers."
    return {
        "type": "object",
        "description": "A request that is not done as asked (RFC 9457).",
        "properties": {
            "type": {"type": "string", "pattern": "^urn:agentxsuite:problem:[a-z_]+$"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "One sentence for a person."},
            "code": {"$ref": "#/components/schemas/ErrorCode"},
            "errors": {**faults, "description": "What is wrong, field by field."},
            "id": {**uuid, "description": "What a request with this key has made."},
            "run_id": {**uuid, "description": "The run that is on record."},
            "decision_id": {**uuid, "description": "The decision that is on record."},
            "paths": {"type": "array", "items": {"type": "string"}, "description": looked_at},
            "allow": {"type": "string", "description": "The command that would allow it."},
            "denied_by": _denial(),
            "retry_after": {"type": "number", "description": "Seconds to wait."},
        },
        "required": ["type", "title", "status", "detail", "code"],
    }
