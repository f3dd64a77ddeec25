"""Snapshots that are never older than the call.

Every call reads its environment's revision. While it is the one of the snapshot at hand, that is
used; otherwise one load, off the loop, serves all who wait for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

from django.db import Error as DatabaseError
from django.db import connections

from agentxsuite.gateway.facts import Snapshot
from agentxsuite.gateway.gate import Facts, Question
from agentxsuite.gateway.orm.reading import Reader, ReadFailed
from agentxsuite.gateway.refusals import Unavailable

Place = tuple[str, str]  # organization and environment
Load = Callable[[str, str, Snapshot | None], Snapshot | None]
LOAD_SECONDS = 10.0  # a caller waits for facts; the load goes on for those who come later


class FreshDirectory:
    """Answers questions from snapshots, each checked against the database."""

    def __init__(self, reader: Reader, load: Load, executor: Executor) -> None:
        self._reader = reader
        self._load = load
        self._executor = executor
        self._held: dict[Place, Snapshot] = {}
        self._loading: dict[Place, asyncio.Future[Snapshot | None]] = {}

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

    async def environments(self, organization: str, reference: str) -> Sequence[str]:
        """Ids of the environments that the reference may mean; raises Unavailable."""
        try:
            return await self._reader.environments(organization, reference)
        except ReadFailed:
            raise database_down() from None

    async def aclose(self) -> None:
        """Let go of the database."""
        await self._reader.aclose()
        await asyncio.get_running_loop().run_in_executor(self._executor, connections.close_all)
        self._executor.shutdown()

    async def _snapshot(self, place: Place, revision: int) -> Snapshot | None:
        """The snapshot of an environment at this revision or a later one."""
        held = self._held.get(place)
        while held is None or held.revision < revision:
            held = await asyncio.shield(self._load_once(place))
            if held is None:
                return None
        return held

    def _load_once(self, place: Place) -> "asyncio.Future[Snapshot | None]":
        loading = self._loading.get(place)
        if loading is not None and loading.done():  # in this very turn: its callback is still due
            self._keep(place, loading)
            loading = None
        if loading is None:
            loop = asyncio.get_running_loop()
            held = self._held.get(place)
            loading = loop.run_in_executor(self._executor, self._load, *place, held)
            self._loading[place] = loading
            loading.add_done_callback(partial(self._keep, place))
        return loading

    def _keep(self, place: Place, loaded: "asyncio.Future[Snapshot | None]") -> None:
        """Hold what was loaded; what has gone is not held, and an error changes nothing."""
        if self._loading.get(place) is not loaded:  # kept already, and perhaps loaded anew
            return
        del self._loading[place]
        if loaded.exception() is None:
            self._held.pop(place, None)
            if snapshot := loaded.result():
                self._held[place] = snapshot


def database_down() -> Unavailable:
    """The refusal while facts cannot be read: fail closed."""
    sentence = "The database does not answer; nothing is allowed until it does."
    return Unavailable("directory_unavailable", sentence)
