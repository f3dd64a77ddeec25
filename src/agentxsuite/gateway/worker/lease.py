"""This worker's lease: while it is renewed, nobody else closes the runs that are under way here.

The others judge by the heartbeat in the database, on the database's clock. This worker judges
itself by its own clock, from before it asked: so it stops first.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Hashable, Iterable

from agentxsuite.gateway.call import new_id
from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.rows import WorkerRow

LEASE_SECONDS = 20.0  # without a heartbeat; then a worker counts as lost
NOBODY_SECONDS = 10 * 365 * 86_400.0  # without a heartbeat: no worker is lost by that
GRACE_SECONDS = 20.0  # beyond a run's timeout; then the run counts as lost


class Lease:
    """The right to run tools, and the runs it stands for.

    It begins as if just renewed: a run of a worker without a row is not closed while it is
    younger than LEASE_SECONDS.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.worker = WorkerRow(new_id(), socket.gethostname()[:255], os.getpid())
        self._clock = clock
        self._ends = clock() + LEASE_SECONDS
        self._closes_from = clock()  # runs, by whatever sign
        self._judges_from = self._ends  # other workers, by their heartbeat
        self._running: dict[str, asyncio.Task[object]] = {}
        self._cancelled: set[str] = set()
        self._names: dict[str, Hashable] = {}

    def now(self) -> float:
        """Seconds on the lease's clock."""
        return self._clock()

    def renewed(self, asked: float) -> None:
        """Note a heartbeat that was asked for at ``asked`` on the lease's clock."""
        if asked > self._ends:
            self._closes_from = self._judges_from = asked + LEASE_SECONDS
        self._ends = asked + LEASE_SECONDS

    def check(self) -> None:
        """Let nothing start that others may take for lost; raises Unavailable."""
        if self._clock() > self._ends:
            raise Unavailable("lease_lost", "This worker cannot reach its record: try again.")

    def patience(self) -> float | None:
        """Seconds without a heartbeat after which another counts as lost; None: close no run.

        When its own lease had lapsed, theirs have too, as the database was away: it waits until
        those that live have had the time to renew theirs, and to end what they could not. A
        worker that has just begun cannot know whether the database was away: until it has seen
        one lease pass, it closes only what is long beyond its timeout.
        """
        now = self._clock()
        if not self._closes_from <= now <= self._ends:
            return None
        return LEASE_SECONDS if self._judges_from <= now else NOBODY_SECONDS

    def hold(self, run_id: str, name: Hashable = None) -> None:
        """Let the current task be cancelled by the run's id, or a name, from here on."""
        task = asyncio.current_task()
        assert task is not None, "a call runs in a task"  # noqa: S101  -- narrows the type
        self._running[run_id], self._names[run_id] = task, name

    def let_go(self, run_id: str) -> bool:
        """Let the task be; whether it has been cancelled."""
        self._running.pop(run_id, None)
        self._names.pop(run_id, None)
        if run_id not in self._cancelled:
            return False
        self._cancelled.discard(run_id)
        return True

    def cancel_named(self, name: Hashable) -> None:
        """Cancel the run of that name; none where several have it, as nobody can tell which."""
        runs = [run_id for run_id, known in self._names.items() if known == name]
        if len(runs) == 1:
            self.cancel(runs)

    def cancel(self, runs: Iterable[str]) -> None:
        """Cancel those of the runs that are under way here, each once."""
        for run_id in self._running.keys() & set(runs) - self._cancelled:
            self._cancelled.add(run_id)
            self._running[run_id].cancel()
