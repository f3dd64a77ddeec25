"""The REST door: ``POST /api/v1/orgs/{org}/runs/execute/``, JSON to Call and Entry to JSON."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from agentxsuite import wire
from agentxsuite.gateway.call import Call, Entry
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.http import (
    REPLAYED,
    Headers,
    Request,
    Send,
    problem,
    reply,
    unless_gone,
)
from agentxsuite.gateway.idempotency import read_key
from agentxsuite.gateway.pipeline import call_tool
from agentxsuite.gateway.refusals import Malformed, Refusal, Unauthenticated, Unknown
from agentxsuite.wire import JSON

PATH = re.compile(r"/api/v1/orgs/([^/]+)/runs/execute/")
FIELDS = {"agent": str, "tool": str, "input": dict, "environment": str, "timeout_seconds": float}
REMEMBERED = 4096  # references whose canonical form need not be found again
LONGEST = 300.0  # seconds a caller may ask for
CHALLENGE: Headers = ((b"www-authenticate", b"Bearer"),)
METHODS: Headers = ((b"allow", b"POST"),)


async def execute(request: Request, organization: str, gate: Gate, send: Send) -> None:
    """Run one tool: 201 with the run, or a problem."""
    try:
        call = read_call(request, organization, await read_body(request), gate.clock())
        entry = await unless_gone(call_tool(call, gate), request.receive)
    except Refusal as refusal:
        challenge = CHALLENGE if isinstance(refusal, Unauthenticated) else ()
        await problem(send, refusal, challenge)
    else:
        headers = REPLAYED if entry.replayed else ()
        await reply(send, 201, wire.dumps(answer(entry)), headers=headers)


async def read_body(request: Request) -> Mapping[str, JSON]:
    """The body as an object of known fields; raises Malformed with every fault in it."""
    body = await request.json()
    if not isinstance(body, dict):
        raise Malformed("invalid_request", "The body must be a JSON object.")
    errors = [*unknown_fields(body), *wrong_types(body), *missing(body), *bad_timeout(body)]
    if errors:
        first = errors[0]
        raise Malformed("invalid_request", f"{first['path']}: {first['message']}", errors)
    return body


def unknown_fields(body: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """A misspelt field is an error, not silence."""
    known = ", ".join(FIELDS)
    return [fault(name, f"unknown field; known are {known}") for name in body if name not in FIELDS]


def wrong_types(body: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """Fields whose value is of another type than documented."""
    names = {str: "a string", dict: "an object", float: "a number"}
    return [
        fault(name, f"must be {names[kind]}")
        for name, kind in FIELDS.items()
        if name in body and not is_a(body[name], kind)
    ]


def is_a(value: JSON, kind: type) -> bool:
    """Whether a JSON value is of the type; a bool is no number."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)


def missing(body: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """What a call cannot be made without."""
    return [] if body.get("tool") else [fault("tool", "is required: a tool's id or name")]


def bad_timeout(body: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """A timeout outside 1 to 300 seconds."""
    timeout = body.get("timeout_seconds", 1)
    if not is_a(timeout, float) or 1 <= timeout <= LONGEST:
        return []
    return [fault("timeout_seconds", f"must be from 1 to {LONGEST:g}")]


def fault(name: str, message: str) -> dict[str, JSON]:
    """One field error."""
    return {"path": f"/{name[:100]}", "message": message}


def read_call(request: Request, organization: str, body: Mapping[str, JSON], now: datetime) -> Call:
    """The call that a request to this door makes; raises Unknown or Malformed."""
    return Call(
        door="rest",
        organization=identifier(organization),
        environment=lowered_id(body.get("environment")),
        credential=request.text(b"authorization"),
        address=request.address,
        client=(request.text(b"user-agent") or "")[:200],
        received=now,
        agent=body.get("agent"),
        tool=lowered_id(body["tool"]) or "",
        arguments=body.get("input", {}),
        timeout=body.get("timeout_seconds"),
        key=read_key(request),
        named=request.text(b"x-agent"),
        certificate=request.certificate,
    )


@lru_cache(REMEMBERED)
def identifier(text: str) -> str:
    """A UUID in its canonical form; raises Unknown, as for any id that is not there."""
    try:
        return str(UUID(text))
    except ValueError:
        raise Unknown("not_found", "There is nothing here that you may see.") from None


@lru_cache(REMEMBERED)
def lowered_id(text: str | None) -> str | None:
    """A UUID in canonical form, any other reference as it is."""
    try:
        return str(UUID(text)) if text else text
    except ValueError:
        return text


def answer(entry: Entry) -> dict[str, JSON]:
    """A finished run, as its caller sees it."""
    principal, tool, outcome = entry.principal, entry.tool, entry.outcome
    started, ended = entry.started, entry.ended
    assert principal and tool and outcome and started and ended  # noqa: S101, PT018  -- it finished
    return {
        "run_id": entry.run_id,
        "status": "failed" if outcome.is_error else "succeeded",
        "decision_id": entry.decision_id,
        "agent": {"id": principal.agent.id, "slug": principal.agent.slug},
        "tool": {"id": tool.id, "name": tool.name, "version": tool.version},
        "result": {"content": [], **outcome.result, "isError": outcome.is_error},
        "execution": {
            "started_at": started.isoformat(),
            "ended_at": ended.isoformat(),
            "duration_ms": round((ended - started).total_seconds() * 1000),
        },
    }
