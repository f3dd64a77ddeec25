"""However a call ends, it is written down: refused, started and finished, or cancelled."""

import asyncio
import logging
from dataclasses import replace
from types import TracebackType

from msgspec import structs

from agentxsuite.gateway import rows
from agentxsuite.gateway.call import Call, Entry, Outcome, Principal, Step
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.guards import AlreadyEnded, KeyTaken
from agentxsuite.gateway.idempotency import recall
from agentxsuite.gateway.refusal_meter import Key
from agentxsuite.gateway.refusals import (
    InFlight,
    NeverSent,
    NotRecorded,
    OutcomeUnknown,
    Recorded,
    Refusal,
    RunCancelled,
    Throttled,
    Unavailable,
    Unrecordable,
    UpstreamFailed,
)
from agentxsuite.wire import JSON

NO_END = "The tool was called, but its end cannot be recorded: look the run up."
NO_USE = "That it was read cannot be recorded: try again."
UNRECORDABLE = ("ledger_unavailable", "lease_lost")  # the record itself is what is away

log = logging.getLogger(__name__)


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
        entry, gate = self.entry, self.gate
        if entry.replayed:
            return
        entry.ended = gate.clock()
        if entry.started is not None:
            entry.refusal = end_of(error, cancelled=gate.lease.let_go(entry.run_id))
            await finish(entry, gate)
            if isinstance(entry.refusal, RunCancelled):
                raise uncancelled(entry.refusal) from None
        elif isinstance(error, Refusal):
            entry.refusal = error
            if error.code not in UNRECORDABLE:
                await refuse(entry, error, gate)


def end_of(error: BaseException | None, *, cancelled: bool) -> Refusal | None:
    """What ended a started run, if it was not the tool's answer or a caller that went away."""
    if isinstance(error, Refusal):
        return error
    if cancelled and isinstance(error, asyncio.CancelledError):
        return RunCancelled()
    if isinstance(error, Exception):  # a defect of ours: the run is closed, then it surfaces
        return UpstreamFailed("internal_error", "The gateway failed in this call.")
    return None


def uncancelled(refusal: Refusal) -> Refusal:
    """The refusal, to raise in place of a cancellation that a person asked for."""
    task = asyncio.current_task()
    assert task is not None, "a call runs in a task"  # noqa: S101  -- narrows the type
    task.uncancel()
    return refusal


def note(entry: Entry, gate: Gate, step_type: str, message: str, **details: JSON) -> None:
    """Remember a step; it is written with the next change."""
    entry.steps.append(Step(step_type, message, details, gate.clock()))


async def start(entry: Entry, gate: Gate) -> bool:
    """Make the run durable: nothing runs unrecorded, and nothing twice.

    False: a request with the same key came first and has been answered; so is this one. Raises
    Unavailable, InFlight or KeyReused. A caller that goes away meanwhile leaves a run that was
    given up, as nothing has been sent.
    """
    gate.lease.check()
    entry.started, entry.worker_id = gate.clock(), gate.lease.worker.id
    steps, change = entry.steps, rows.started(entry)
    if entry.reserved:
        change = structs.replace(change, key=entry.reserved)
    try:
        await settled(gate.ledger.commit(change))
    except KeyTaken:
        entry.started, entry.steps = None, steps
        if await recall(entry, gate):
            return False
        raise InFlight from None
    except NotRecorded:
        entry.started = None
        raise
    except (Unavailable, asyncio.CancelledError):
        abandon(entry, gate)
        entry.started = None
        raise
    gate.lease.hold(entry.run_id, entry.principal and entry.call.name_for(entry.principal))
    return True


async def begin(entry: Entry, gate: Gate) -> None:
    """Make it durable that a use was allowed and begins; raises Unavailable.

    It is no run: nobody closes it when this process dies, as nothing was to be changed.
    """
    entry.started = gate.clock()
    try:
        await settled(gate.ledger.commit(rows.use_started(entry)))
    except Unavailable:
        entry.started = None
        raise


def abandon(entry: Entry, gate: Gate) -> None:
    """Close a run whose start may have been written after all; nobody waits for that."""
    given_up = replace(entry, refusal=NeverSent(), ended=gate.clock(), steps=[])
    end = structs.replace(rows.finished(given_up), release=True)
    gate.ledger.commit(end).add_done_callback(asyncio.Future.exception)


async def finish(entry: Entry, gate: Gate) -> None:
    """Make the end of what was started durable, before anybody is answered.

    Raises Unavailable when it cannot be, and OutcomeUnknown when the run was closed for lost.
    """
    refusal, known = entry.refusal, Recorded(rows.run_of(entry), entry.decision_id)
    message = refusal.detail if refusal else answer_sentence(entry.outcome)
    facts: dict[str, JSON] = {"code": refusal.code} if refusal else {}
    note(entry, gate, "upstream", message, duration_ms=rows.duration(entry), **facts)
    if refusal is not None:
        refusal.recorded = known
    try:
        await settled(gate.ledger.commit(rows.finished(entry)))
    except AlreadyEnded:
        raise on_record(OutcomeUnknown(), known) from None
    except Unavailable:
        sentence = NO_END if entry.tool else NO_USE
        raise on_record(Unavailable("ledger_unavailable", sentence), known) from None


def on_record(refusal: Refusal, known: Recorded) -> Refusal:
    """The refusal, with the run that it is about."""
    refusal.recorded = known
    return refusal


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
    if await gate.refusals.admit(key, throttle=refusal.outcome == Throttled.outcome):
        change = rows.refused(entry, refusal)
        refusal.recorded = Recorded(entry.run_id if change.run else None, entry.decision_id)
        await settled(gate.ledger.commit(change))


def refusal_key(entry: Entry, refusal: Refusal) -> Key:
    """What refusals are counted by; a stranger is known by the address.

    Only a tool that is there counts by itself: names that callers make up have no end.
    """
    principal, target = entry.principal, entry.target
    bearer = refusal.bearer
    if bearer is not None:
        who = f"agent:{bearer.agent}"
        return bearer.organization, bearer.environment, who, "", refusal.code
    if principal is None:
        return None, None, f"address:{entry.call.address}", "", refusal.code
    snapshot = principal.snapshot
    name = target.counted_as if target else ""
    return snapshot.organization, snapshot.environment, principal.subject, name, refusal.code


def stop_flood(principal: Principal, gate: Gate) -> None:
    """Refuse, before policy, a principal whose refusals came too fast; raises Throttled."""
    wait = gate.refusals.wait(principal.subject)
    if wait > 0:
        raise Throttled("too_many_refusals", "Too many refused calls: wait and try again.", wait)


async def write_counts(gate: Gate) -> None:
    """Write what was only counted, one event a principal, target and code.

    Raises Unavailable; what is not known to be written is kept for the next time, also when this
    round is cancelled.
    """
    left = dict(gate.refusals.drain())
    try:
        for key in tuple(left):
            await settled(asyncio.ensure_future(write_count(key, left, gate)))
    finally:
        gate.refusals.keep(left.items())


async def write_count(key: Key, left: dict[Key, int], gate: Gate) -> None:
    """Write one of the counts that are left; raises Unavailable when it may be tried again.

    What the database refuses it would refuse for ever: the log has it then.
    """
    try:
        await gate.ledger.commit(rows.counted(key, left[key], gate.clock()))
    except Unrecordable:
        log.exception("%d refusals of %s cannot be recorded", left[key], key)
    del left[key]


async def settled(work: asyncio.Future[None]) -> None:
    """Await to the end even when cancelled meanwhile: a record is not left half known."""
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
