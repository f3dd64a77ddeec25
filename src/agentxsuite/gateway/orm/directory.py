"""Snapshots that are never older than the call.

Every call reads its environment's revision. While it is the one of the snapshot at hand, that is
used; otherwise one load, off the loop, serves all who wait for it. Organizations take turns: each
has one load under way at most, so that nobody waits for all environments of a neighbour.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager, suppress
from weakref import WeakValueDictionary

from django.db import Error as DatabaseError
from django.db import connections

from agentxsuite.gateway.facts import Proof, Snapshot
from agentxsuite.gateway.gate import Facts, Question
from agentxsuite.gateway.orm.reading import Reader, ReadFailed
from agentxsuite.gateway.refusals import Unavailable

Place = tuple[str, str]  # organization and environment
Load = Callable[[str, str, Snapshot | None], Snapshot | None]
HELD = 1000  # snapshots that are kept; the one unused for longest goes first
LOAD_SECONDS = 10.0  # a caller waits for facts; the load goes on for those who come later


class FreshDirectory:
    """Answers questions from snapshots, each checked against the database.

    Every one of `threads` is an executor with a single thread, which has its own connections.
    """

    def __init__(self, reader: Reader, load: Load, threads: Sequence[Executor]) -> None:
        self._reader = reader
        self._load = load
        self._threads = threads
        self._idle = list(threads)
        self._free = asyncio.Semaphore(len(threads))
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._held: dict[Place, Snapshot] = {}  # the one used last comes last
        self._loading: dict[Place, asyncio.Task[Snapshot | None]] = {}
        self._closed = False

    async def ask(self, question: Question) -> Facts:
        """Facts as they are after the question; raises Unavailable when the database is down."""
        try:
            reading = await self._reader.read(question)
            snapshot = None
            if reading.revision is not None and question.environment is not None:
                place = question.organization, question.environment
                async with asyncio.timeout(LOAD_SECONDS):
                    snapshot = await self._snapshot(place, reading.revision)
        except (ReadFailed, DatabaseError, TimeoutError):
            raise database_down() from None
        return Facts(snapshot, reading.token_live, reading.user)

    async def environments(
        self, organization: str, name: str | None = None, agent: str | None = None
    ) -> Sequence[str]:
        """Ids of the environments of a name or id, or with an agent; raises Unavailable."""
        try:
            return await self._reader.environments(organization, name, agent)
        except ReadFailed:
            raise database_down() from None

    async def homes(self, organization: str, proof: Proof) -> Sequence[str]:
        """Ids of the environments that may know the proof; raises Unavailable."""
        try:
            return await self._reader.homes(organization, proof)
        except ReadFailed:
            raise database_down() from None

    async def aclose(self) -> None:
        """Let go of the database; who waits for a turn gets none any more."""
        self._closed = True
        await self._reader.aclose()
        if self._loading:
            await asyncio.wait(self._loading.values())
        for thread in self._threads:
            await asyncio.get_running_loop().run_in_executor(thread, connections.close_all)
            thread.shutdown()

    async def _snapshot(self, place: Place, revision: int) -> Snapshot | None:
        """The snapshot of an environment at this revision or a later one."""
        held = self._held.get(place)
        if held is not None and held.revision >= revision:
            self._keep(place, held)
            return held
        loaded = await self._load_once(place)
        while loaded is not None and loaded.revision < revision:  # it had begun too early for us
            loaded = await self._load_once(place)
        return loaded

    async def _load_once(self, place: Place) -> Snapshot | None:
        """What the load under way, or else a new one, finds; it outlives who waits for it."""
        loading = self._loading.get(place)
        if loading is None:
            loading = self._loading[place] = asyncio.create_task(self._load_in_turn(place))
            loading.add_done_callback(heed)
        await asyncio.wait([loading])
        return loading.result()

    async def _load_in_turn(self, place: Place) -> Snapshot | None:
        """Load and hold; what has gone is not held, and an error changes nothing."""
        try:
            async with self._turn(place[0]) as thread:
                held, loop = self._held.get(place), asyncio.get_running_loop()
                loaded = await loop.run_in_executor(thread, self._load, *place, held)
            self._keep(place, loaded)
            return loaded
        finally:
            del self._loading[place]

    @asynccontextmanager
    async def _turn(self, organization: str) -> AsyncIterator[Executor]:
        """A thread, for one of an organization at a time; both are given in the order of asking."""
        async with self._turns.setdefault(organization, asyncio.Lock()), self._free:
            if self._closed:
                raise ReadFailed
            thread = self._idle.pop()
            try:
                yield thread
            finally:
                self._idle.append(thread)

    def _keep(self, place: Place, snapshot: Snapshot | None) -> None:
        """Hold a snapshot as the one used last, for as long as there is room."""
        self._held.pop(place, None)
        if snapshot is not None:
            self._held[place] = snapshot
        if len(self._held) > HELD:
            del self._held[next(iter(self._held))]


def heed(loading: "asyncio.Task[Snapshot | None]") -> None:
    """Nobody may wait for a load any more: its error is no news then."""
    with suppress(asyncio.CancelledError):
        loading.exception()


def database_down() -> Unavailable:
    """The refusal while facts cannot be read: fail closed."""
    sentence = "The database does not answer; nothing is allowed until it does."
    return Unavailable("directory_unavailable", sentence)
