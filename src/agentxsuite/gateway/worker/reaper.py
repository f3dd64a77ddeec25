"""Closes runs that nobody will end any more: their worker is gone, or their time long over."""

import asyncio
import logging

from agentxsuite.gateway.call import new_id
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.guards import AlreadyEnded
from agentxsuite.gateway.refusals import NeverSent, OutcomeUnknown
from agentxsuite.gateway.rows import Change, LostRun, Row, blank_event, dump, stamp
from agentxsuite.gateway.worker.lease import GRACE_SECONDS, LEASE_SECONDS

log = logging.getLogger(__name__)


async def sweep(gate: Gate) -> None:
    """Forget old keys and dead workers; raises Unavailable."""
    await gate.ledger.sweep(LEASE_SECONDS)


async def reap(gate: Gate) -> None:
    """Close every lost run, in the record only; raises Unavailable.

    Several workers may do so at once: the first one wins, and the others find it ended.
    """
    patience = gate.lease.patience()
    if patience is None:
        return
    lost = await gate.ledger.lost(patience, GRACE_SECONDS)
    writing = [gate.ledger.commit(closing(run, gate)) for run in lost]
    for run, failed in zip(
        lost, await asyncio.gather(*writing, return_exceptions=True), strict=True
    ):
        if failed is None:
            log.warning("run %s was lost with worker %s", run.id, run.worker_id)
        elif not isinstance(failed, AlreadyEnded):
            raise failed


def closing(run: LostRun, gate: Gate) -> Change:
    """The end of a lost run; one that was never sent gives its key free again."""
    verdict = NeverSent() if run.dispatched_at is None else OutcomeUnknown()
    moment = stamp(gate.clock())
    end: Row = {
        "id": run.id,
        "status": "failed",
        "outcome_code": verdict.outcome,
        "ended_at": moment,
        "output_json": None,
        "error_text": verdict.detail,
        "result_type": "complete",
    }
    step: Row = {
        "id": new_id(),
        "run_id": run.id,
        "organization_id": run.organization_id,
        "step_type": "reaper",
        "message": verdict.detail,
        "details": dump({"code": verdict.code, "worker": run.worker_id}),
        "timestamp": moment,
    }
    release = run.dispatched_at is None
    return Change(
        end=end, steps=[step], events=[event(run, verdict.outcome, gate)], release=release
    )


def event(run: LostRun, outcome: str | None, gate: Gate) -> Row:
    """That it was closed, and by whom."""
    facts = {
        "status": "failed",
        "outcome_code": outcome,
        "closed_by": gate.lease.worker.id,
        "worker": run.worker_id,
    }
    known = {"agent": run.agent_id, "agent_name": run.agent_name, "door": run.door}
    return {
        **blank_event(run.organization_id, run.environment_id, gate.clock()),
        "event_type": "run_finished",
        "event_data": dump(facts),
        "subject": run.subject,
        "action": "tool.invoke",
        "target": f"tool:{run.tool_name}",
        "decision": "allow",
        "run_id": run.id,
        "decision_id": run.decision_id,
        "context": dump(known),
    }
