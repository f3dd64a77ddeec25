"""One call at either door of the gateway, and what its answer says, in the words of REST."""

from contextlib import suppress
from typing import Any

import orjson

from benchmarks.calls import ENVELOPE, Address
from benchmarks.http1 import Answer as Reply
from benchmarks.upstream import STATELESS
from tests.faults.answers import Plan

CALLING = "tools/call"
REFUSAL = "agentxsuite/refusal"
STATUSES = {
    "idempotency_in_flight": 409,
    "run_cancelled": 409,
    "rate_limited": 429,
    "too_many_refusals": 429,
    "outcome_unknown": 502,
    "upstream_unavailable": 502,
    "upstream_protocol": 502,
    "ledger_unavailable": 503,
    "directory_unavailable": 503,
    "lease_lost": 503,
    "starting": 503,
    "upstream_timeout": 504,
}


def request(plan: Plan, worker: int, call: str, *, key: bool) -> bytes:
    """The bytes that ask for the call; the same door each time."""
    headers = (f"Idempotency-Key: {call}",) if key else ()
    if is_mcp(call):
        return mcp_request(
            Address(plan.urls[worker] + plan.mcp_path, plan.token, headers), plan, call
        )
    asked = {"agent": plan.agent, "tool": plan.tool, "input": {"call": call}}
    address = Address(plan.urls[worker] + plan.path, plan.token, headers)
    return address.post({**asked, "timeout_seconds": plan.timeout})


def is_mcp(call: str) -> bool:
    """Whether the call goes through the MCP door: two of four do, with and without a key."""
    return int(call.rpartition("-")[2]) % 4 >= 2


def mcp_request(address: Address, plan: Plan, call: str) -> bytes:
    """A call as of the stateless revision."""
    lines = (f"MCP-Protocol-Version: {STATELESS}", f"Mcp-Method: {CALLING}")
    params = {"name": plan.mcp_tool, "arguments": {"call": call}, "_meta": ENVELOPE}
    body = {"jsonrpc": "2.0", "id": call, "method": CALLING, "params": params}
    return address.having(*lines, f"Mcp-Name: {plan.mcp_tool}").post(body)


def read(reply: Reply | None) -> dict[str, Any]:
    """What is written down of an answer; a success is 201 at both doors."""
    if reply is None:
        return {}
    body: dict[str, Any] = {}
    with suppress(orjson.JSONDecodeError):
        body = orjson.loads(reply.body)
    status, told = read_mcp(reply.status, body) if "jsonrpc" in body else (reply.status, body)
    return {
        "status": status,
        "code": told.get("code") or "",
        "run_id": told.get("run_id") or "",
        "replayed": reply.headers.get(b"idempotency-replayed") == b"true",
    }


def read_mcp(status: int, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status that the answer has at the other door, and where it refuses, why."""
    result = body.get("result")
    if result is None:
        return status, body["error"].get("data") or {}
    if not result["isError"]:
        return 201, {}
    refusal = result["_meta"].get(REFUSAL, {})
    return STATUSES.get(refusal.get("code"), status), refusal
