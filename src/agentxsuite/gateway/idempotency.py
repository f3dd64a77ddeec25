"""One key, one run: a request that comes again under its key is answered from the record.

A key belongs to its caller and address: (organization, principal, method, path, key). It is
reserved together with the start of its run, so that of many equal requests one is sent; the others
are told that it runs, or what came of it.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from agentxsuite import wire
from agentxsuite.gateway.call import DEFAULT_TIMEOUT, Call, Entry, Outcome, Principal, new_id
from agentxsuite.gateway.facts import Tool
from agentxsuite.gateway.gate import Gate, StoredRun
from agentxsuite.gateway.http import Request
from agentxsuite.gateway.refusals import (
    InFlight,
    KeyReused,
    Malformed,
    OutcomeUnknown,
    Recorded,
    Refusal,
    RunCancelled,
    UpstreamFailed,
    UpstreamTimedOut,
)
from agentxsuite.gateway.rows import Row, stamp
from agentxsuite.wire import JSON

HEADER = b"idempotency-key"
KEY = re.compile(r"[\x21-\x7e]{1,255}")


def read_key(request: Request) -> str | None:
    """The request's key, or None; raises Malformed for one that cannot be kept."""
    key = request.text(HEADER)
    if key is not None and not KEY.fullmatch(key):
        sentence = "Idempotency-Key must be 1 to 255 visible ASCII characters."
        raise Malformed("invalid_idempotency_key", sentence)
    return key


async def recall(entry: Entry, gate: Gate) -> bool:
    """Whether the request ran before; then the entry is what it was, and nothing is left to do.

    Raises InFlight, KeyReused, or the refusal that ended the run then.
    """
    entry.reserved = reserved = entry.reserved or reservation(entry)
    stored = await gate.answers.stored(reserved)
    if stored is None:
        return False
    if stored.digest != reserved["digest"]:
        raise KeyReused
    if stored.ended_at is None:
        raise InFlight
    restore(entry, stored)
    return True


def reservation(entry: Entry) -> Row:
    """The row of the call's key."""
    call, principal, tool = entry.call, entry.principal, entry.tool
    assert principal is not None, "identity comes first"  # noqa: S101  -- narrows the type
    assert tool is not None, "the tool comes first"  # noqa: S101  -- narrows the type
    return {
        "id": new_id(),
        "organization_id": principal.snapshot.organization,
        "created_at": stamp(call.received),
        "principal": principal.subject,
        "method": "POST",
        "path": path_of(call),
        "key": call.key,
        "digest": digest(call, principal, tool),
        "run_id": entry.run_id,
    }


def path_of(call: Call) -> str:
    """The address that was called, however its ids were spelled."""
    if call.door == "rest":
        return f"/api/v1/orgs/{call.organization}/runs/execute/"
    environment = f"/mcp/{call.organization}/{call.environment}/"
    return f"{environment}{call.passthrough}/" if call.passthrough else environment


def digest(call: Call, principal: Principal, tool: Tool) -> str:
    """SHA-256 of what was asked, whichever way it was written."""
    timeout = float(call.timeout or DEFAULT_TIMEOUT)
    asked = [principal.agent.id, tool.id, timeout, call.arguments]
    if call.extra:
        asked.append(call.extra)
    if call.turn:
        asked.append([call.turn.answers, call.turn.state])
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def restore(entry: Entry, stored: StoredRun) -> None:
    """Make the entry what the record says of the run; raises the refusal that ended it."""
    entry.replayed = True
    entry.run_id, entry.decision_id = stored.run_id, stored.decision_id
    entry.started, entry.ended = stored.started_at, stored.ended_at
    if stored.output is None:
        raise refusal_of(stored)
    assert entry.tool is not None, "the tool comes first"  # noqa: S101  -- narrows the type
    entry.target = replace(entry.tool, version=stored.tool_version)
    result = readable(wire.loads(stored.output.encode()))
    entry.outcome = Outcome(result, is_error=stored.status == "failed")


def readable(result: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """A tool's result; where only its digest was kept, it says so."""
    if "content" in result or not result.get("truncated"):
        return result
    text = f"The answer was too large to keep: {result['bytes']} bytes."
    return {"content": [{"type": "text", "text": text}], **result}


def refusal_of(stored: StoredRun) -> Refusal:
    """What a run that was started and failed told its caller."""
    make = FAILURES.get(stored.outcome_code or "", FAILURES["upstream_error"])
    refusal = make(stored)
    refusal.recorded = Recorded(stored.run_id, stored.decision_id)
    refusal.replayed = True
    return refusal


FAILURES: Mapping[str, Callable[[StoredRun], Refusal]] = {
    "timeout": lambda stored: UpstreamTimedOut("upstream_timeout", stored.error_text),
    "cancelled": lambda stored: RunCancelled(stored.error_text),
    "outcome_unknown": lambda stored: OutcomeUnknown(stored.error_text),
    "upstream_error": lambda stored: UpstreamFailed(
        stored.code or "upstream_unavailable", stored.error_text
    ),
}
