"""What a worker does for its lease: renew it, learn which runs to cancel, give it back."""

import logging

from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.refusals import Unavailable

log = logging.getLogger(__name__)


async def beat(gate: Gate) -> None:
    """Renew this worker's lease, and cancel what is wanted cancelled; raises Unavailable."""
    asked = gate.lease.now()
    wanted = await gate.ledger.beat(gate.lease.worker)
    gate.lease.renewed(asked)
    gate.lease.cancel(wanted)


async def watch(gate: Gate) -> None:
    """Cancel the runs of this worker that somebody wants cancelled; raises Unavailable."""
    gate.lease.cancel(await gate.ledger.cancelled(gate.lease.worker.id))


async def leave(gate: Gate) -> None:
    """Give the lease back; where that fails, it runs out by itself."""
    try:
        await gate.ledger.leave(gate.lease.worker.id)
    except Unavailable as error:
        log.warning("the lease runs out by itself: %s", error.code)
