"""However a call ends, it is written down: refused, started and finished, or cancelled."""

import asyncio
from types import TracebackType

from agentxsuite.gateway import rows
from agentxsuite.gateway.call import Call, Entry, Outcome, Principal, Step
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.refusals import Recorded, Refusal, Throttled, Unavailable, UpstreamFailed
from agentxsuite.wire import JSON


class recorded:  # noqa: N801  -- reads as a verb in the story: ``async with recorded(...)``
    """Opens an entry for a call and, whatever happens inside, leaves it on record."""

    def __init__(self, call: Call, gate: Gate) -> None:
        self.entry = Entry(call)
        self.gate = gate

    async def __aenter__(self) -> Entry:
        return self.entry

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        entry = self.entry
        entry.ended = self.gate.clock()
        if isinstance(error, Refusal):
            entry.refusal = error
        elif isinstance(error, Exception):  # a defect of ours: the run is closed, then it surfaces
            entry.refusal = UpstreamFailed("internal_error", "The gateway failed in this call.")
        if entry.started is not None:
            await finish(entry, self.gate)
        elif isinstance(error, Refusal) and error.code != "ledger_unavailable":
            await refuse(entry, error, self.gate)


def note(entry: Entry, gate: Gate, step_type: str, message: str, **details: JSON) -> None:
    """Remember a step; it is written with the next change."""
    entry.steps.append(Step(step_type, message, details, gate.clock()))


async def start(entry: Entry, gate: Gate) -> None:
    """Make the run durable: nothing runs unrecorded. Raises Unavailable."""
    entry.started = gate.clock()
    try:
        await settled(gate.ledger.commit(rows.started(entry)))
    except Unavailable:
        entry.started = None
        raise


async def finish(entry: Entry, gate: Gate) -> None:
    """Make the end of a started run durable, before anybody is answered."""
    refusal = entry.refusal
    message = refusal.detail if refusal else answer_sentence(entry.outcome)
    note(entry, gate, "upstream", message, duration_ms=rows.duration(entry))
    if refusal is not None:
        refusal.recorded = Recorded(entry.run_id, entry.decision_id)
    await settled(gate.ledger.commit(rows.finished(entry)))


def answer_sentence(outcome: Outcome | None) -> str:
    """How the upstream's part ended."""
    if outcome is None:
        return "The caller went away; the upstream call was cancelled."
    return "The tool answered with an error." if outcome.is_error else "The tool answered."


async def refuse(entry: Entry, refusal: Refusal, gate: Gate) -> None:
    """Write a refusal down, or count it when the principal has had too many."""
    if entry.principal and entry.target:
        note(entry, gate, "refusal", refusal.detail, code=refusal.code)
    key = refusal_key(entry, refusal)
    if await gate.refusals.admit(key, throttle=isinstance(refusal, Throttled)):
        change = rows.refused(entry, refusal)
        refusal.recorded = Recorded(entry.run_id if change.run else None, entry.decision_id)
        await settled(gate.ledger.commit(change))


def refusal_key(entry: Entry, refusal: Refusal) -> tuple[str | None, str | None, str, str, str]:
    """What refusals are counted by; a stranger is known by the address."""
    call, principal, target = entry.call, entry.principal, entry.target
    bearer = refusal.bearer
    if bearer is not None:
        who = f"agent:{bearer.agent}"
        return bearer.organization, bearer.environment, who, call.tool, refusal.code
    if principal is None:
        return None, None, f"address:{call.address}", "", refusal.code
    snapshot = principal.snapshot
    name = target.target if target else ""
    return snapshot.organization, snapshot.environment, principal.subject, name, refusal.code


def stop_flood(principal: Principal, gate: Gate) -> None:
    """Refuse, before policy, a principal whose refusals came too fast; raises Throttled."""
    wait = gate.refusals.wait(principal.subject)
    if wait > 0:
        raise Throttled("too_many_refusals", "Too many refused calls: wait and try again.", wait)


async def write_counts(gate: Gate) -> None:
    """Write what was only counted, one event a principal, target and code.

    Raises Unavailable; what could not be written is kept for the next time.
    """
    counts = list(gate.refusals.drain())
    while counts:
        key, count = counts[-1]
        try:
            await gate.ledger.commit(rows.counted(key, count, gate.clock()))
        except Unavailable:
            gate.refusals.keep(counts)
            raise
        counts.pop()


async def settled(work: asyncio.Future[None]) -> None:
    """Await to the end even when cancelled meanwhile: a record is not left half known."""
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
