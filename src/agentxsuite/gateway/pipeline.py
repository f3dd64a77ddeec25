"""The story of one call, top to bottom. Each line is one module; nothing calls back up."""

import math
from collections.abc import Iterator, Mapping, Sequence

from agentxsuite.engines.limits import Rate
from agentxsuite.engines.pdp import Decision
from agentxsuite.engines.upstream import mirrors
from agentxsuite.gateway.authorize import INVOKE, check_scope, decide, enforce, reasons, visible
from agentxsuite.gateway.call import DEFAULT_TIMEOUT, Call, Entry, Principal
from agentxsuite.gateway.facts import Offer, Tool
from agentxsuite.gateway.forward import check_dispatchable
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.idempotency import recall
from agentxsuite.gateway.identify import identify
from agentxsuite.gateway.looking import ask, concerns
from agentxsuite.gateway.questions import put, resume
from agentxsuite.gateway.record import note, recorded, start, stop_flood
from agentxsuite.gateway.refusals import Contradicted, Invalid, Throttled, Unknown
from agentxsuite.wire import JSON

TOLD = 5  # violations that the sentence names


async def call_tool(call: Call, gate: Gate) -> Entry:
    """Request in -> identity -> decision -> limits -> schema -> upstream -> record -> response."""
    async with recorded(call, gate) as entry:  # however it ends, it is written down
        principal = entry.principal = await identify(call, gate)  # or 401
        target = entry.target = find(principal, call)  # or 404
        stop_flood(principal, gate)  # or 429
        entry.decision = authorize(entry, principal, target, gate)  # or 403
        if call.key and await recall(entry, gate):  # or 409, 422
            return entry  # as it was answered before
        await limit(entry, principal, target, gate)  # or 429
        check_headers(entry.call, target)  # or 400
        arguments = validated(entry, target, gate)  # or 400
        more = resume(entry, gate)  # or 400
        if concerns(target, gate):
            await ask(target, gate)  # or 403, 502, 504
        if await start(entry, gate):  # nothing runs unrecorded, and nothing twice
            params = {"name": target.upstream_name, "arguments": arguments, **more}
            entry.outcome = await put(entry, "tools/call", params, gate)  # or 502, 504
    return entry


async def open_door(call: Call, gate: Gate) -> Principal:
    """Who is there, for requests that run nothing; a stranger is refused and on record."""
    async with recorded(call, gate) as entry:
        entry.principal = await identify(call, gate)
    return entry.principal


async def list_tools(call: Call, gate: Gate) -> Sequence[Tool]:
    """The tools that some arguments could make callable, by name; only a refusal is recorded."""
    async with recorded(call, gate) as entry:
        principal = entry.principal = await identify(call, gate)
        return listed(principal, call, gate)


def listed(principal: Principal, call: Call, gate: Gate) -> Sequence[Tool]:
    """The tools that a list shows, by name; raises InsufficientScope, Unavailable."""
    known = gate.listings.find(principal, call)
    if known is None:
        tools = sorted(shown(principal, call), key=lambda tool: tool.name)
        known = gate.listings.keep(principal, call, tools)
    return known


def shown(principal: Principal, call: Call) -> Iterator[Tool]:
    """The tools that a list shows; raises InsufficientScope, Unavailable."""
    check_scope(principal, INVOKE)
    for tool in principal.snapshot.tools.values():
        if is_here(tool, call) and visible(principal, tool, call):
            yield tool


def find(principal: Principal, call: Call) -> Tool:
    """The tool that the call names at its address; raises Unknown."""
    snapshot = principal.snapshot
    if call.passthrough is not None:
        tool = snapshot.tool_of(call.passthrough, call.tool)
    elif call.door == "mcp":
        tool = snapshot.by_mcp_name.get(call.tool)
    else:
        tool = snapshot.tool(call.tool)
    if tool is None:
        raise Unknown("tool_unknown", f"There is no tool '{call.tool[:100]}' here.")
    return tool.of(principal.person)


def is_here(tool: Tool, call: Call) -> bool:
    """Whether the tool belongs to the address: all of them, or those of one connection."""
    return call.passthrough is None or tool.connection.slug == call.passthrough


def authorize(entry: Entry, principal: Principal, target: Tool | Offer, gate: Gate) -> Decision:
    """Decide, note the decision, and let only an allow pass."""
    decision = entry.decision = decide(principal, target, entry.call)
    known = reasons(decision, principal, target, entry.call)
    note(entry, gate, "decision", f"{decision.effect}: {decision.reason}", **known)
    enforce(decision, principal, target, entry.call)
    check_dispatchable(target.connection)
    asked = entry.call.timeout or DEFAULT_TIMEOUT
    entry.timeout = min(asked, decision.terms.timeout or asked)
    return decision


async def limit(entry: Entry, principal: Principal, target: Tool | Offer, gate: Gate) -> None:
    """Take one token from the bucket of this agent and target; raises Throttled."""
    terms = entry.decision.terms.rate if entry.decision else None
    rate = Rate(per_minute=terms.per_minute, burst=terms.burst) if terms else Rate(60, 60)
    taken = await gate.limiter.take(f"{principal.agent.id}:{target.id}", rate)
    note(entry, gate, "limit", f"{rate.per_minute} a minute", remaining=taken.remaining)
    if not taken.allowed:
        raise throttled(target.name, taken.retry_after)


def throttled(name: str, retry_after: float) -> Throttled:
    """The refusal of what comes too often."""
    wait = math.ceil(retry_after)
    sentence = f"The rate limit of '{name}' is reached: try again in {wait} s."
    return Throttled("rate_limited", sentence, retry_after)


def check_headers(call: Call, target: Tool) -> None:
    """Who went by the headers saw the arguments that we see; raises Contradicted."""
    if target.mirrors and call.headers is not None:
        header = mirrors.contradicted(target.mirrors, call.arguments, call.headers)
        if header is not None:
            raise Contradicted(header)


def validated(entry: Entry, target: Tool, gate: Gate) -> Mapping[str, JSON]:
    """The arguments, when they fit the approved schema; raises Invalid."""
    arguments = entry.call.arguments
    violations = target.schema.check(arguments) if target.schema else ()
    note(entry, gate, "validation", f"{len(violations)} violations", version=target.version)
    if violations:
        errors = [
            {"path": found.path, "keyword": found.keyword, "message": found.message}
            for found in violations
        ]
        told = [f"{found.path}: {found.message}".removeprefix(": ") for found in violations]
        raise Invalid(f"Invalid arguments: {'; '.join(told[:TOLD])}", errors)
    return arguments
