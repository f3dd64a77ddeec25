"""A record in memory that keeps the ledger's word, and can be told to fail: for single steps."""

import asyncio
from datetime import timedelta

from agentxsuite.engines.limits import MemoryLimiter
from agentxsuite.gateway.gate import Gate, StoredRun
from agentxsuite.gateway.guards import AlreadyEnded, KeyTaken
from agentxsuite.gateway.ledger.database import Words
from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.worker.lease import Lease
from tests.unit.gateway.building import NOON

AWAY = Unavailable("ledger_unavailable", "Later.")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Shelf:
    """Ledger and answers in one: runs by id, keys by what they are found by."""

    def __init__(self):
        self.changes = []
        self.running = set()
        self.keys = {}
        self.found = []  # what ``stored`` answers, one after the other
        self.failures = []  # what the next commits fail with; None lets one pass
        self.away = None  # what every other question fails with
        self.wanted = ()
        self.lost_runs = ()
        self.asked = []
        self.patience = None  # the seconds that ``lost`` was last asked with

    def commit(self, change):
        done = asyncio.get_running_loop().create_future()
        try:
            self.write(change)
        except (Unavailable, KeyTaken, AlreadyEnded) as error:
            done.set_exception(error)
        else:
            done.set_result(None)
        return done

    def write(self, change):
        failure = self.failures.pop(0) if self.failures else None
        if failure:
            raise failure
        if change.end and change.end["id"] not in self.running:
            raise AlreadyEnded
        if change.key and change.key["key"] in self.keys:
            raise KeyTaken
        if change.key:
            self.keys[change.key["key"]] = change.key
        if change.end:
            self.running.remove(change.end["id"])
        if change.run and change.run["status"] == "running":
            self.running.add(change.run["id"])
        self.changes.append(change)

    async def stored(self, reserved):
        return self.found.pop(0) if self.found else None

    async def beat(self, worker):
        return await self.ask("beat", self.wanted)

    async def cancelled(self, worker_id):
        return await self.ask("cancelled", self.wanted)

    async def leave(self, worker_id):
        return await self.ask("leave", None)

    async def lost(self, lease_seconds, grace_seconds):
        self.patience = lease_seconds
        return await self.ask("lost", self.lost_runs)

    async def sweep(self, lease_seconds):
        return await self.ask("sweep", None)

    async def ask(self, what, answer):
        self.asked.append(what)
        if self.away:
            raise self.away
        return answer


class Stuck:
    """A database that takes nothing until it is ``free``, and then everything."""

    words = Words(mark="?", now="", ago="", due="")

    def __init__(self):
        self.asked, self.free = asyncio.Event(), asyncio.Event()
        self.batches = []

    async def write(self, batch):
        self.asked.set()
        await self.free.wait()
        self.batches.append(batch)
        return ()

    async def run(self, statement, parameters):
        return []

    async def aclose(self):
        """Nothing is open."""


def gate(shelf=None, clock=None):
    """A gate before a shelf; no step that a unit test runs needs the other parts."""
    shelf = shelf or Shelf()
    return Gate(
        verifier=None,
        outside=None,
        fingerprints=None,
        directory=None,
        limiter=MemoryLimiter(),
        upstream=None,
        ledger=shelf,
        answers=shelf,
        public_url="https://here.example",
        clock=lambda: NOON,
        lease=Lease(clock or Clock()),
    )


def stored_run(**facts):
    known = {
        "digest": "",
        "run_id": "0198f000-0000-7000-8000-000000000001",
        "decision_id": "0198f000-0000-7000-8000-000000000002",
        "status": "succeeded",
        "outcome_code": None,
        "tool_version": "7",
        "started_at": NOON,
        "ended_at": NOON + timedelta(seconds=1),
        "output": '{"content":[{"type":"text","text":"done"}]}',
        "error_text": "",
        "code": None,
    }
    return StoredRun(**known | facts)
