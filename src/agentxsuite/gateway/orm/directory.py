"""Snapshots that are never older than the call.

Every call reads its environment's revision. While it is the one of the snapshot at hand, that is
used; otherwise one load, off the loop, serves all who wait for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from django.db import Error as DatabaseError
from django.db import connections

from agentxsuite.gateway.facts import Snapshot
from agentxsuite.gateway.gate import Facts, Question
from agentxsuite.gateway.orm.reading import Reader, ReadFailed
from agentxsuite.gateway.refusals import Unavailable

Load = Callable[[str, Snapshot | None], Snapshot | None]


class FreshDirectory:
    """Answers questions from snapshots, each checked against the database."""

    def __init__(self, reader: Reader, load: Load, executor: Executor) -> None:
        self._reader = reader
        self._load = load
        self._executor = executor
        self._held: dict[str, Snapshot] = {}
        self._loading: dict[str, asyncio.Future[Snapshot | None]] = {}

    async def ask(self, question: Question) -> Facts:
        """Facts as they are after the question; raises Unavailable when the database is down."""
        try:
            reading = await self._reader.read(question)
            snapshot = None
            if reading.revision is not None and question.environment is not None:
                snapshot = await self._snapshot(question.environment, reading.revision)
        except (ReadFailed, DatabaseError):
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

    async def _snapshot(self, environment: str, revision: int) -> Snapshot | None:
        held = self._held.get(environment)
        while held is None or held.revision < revision:
            held = await asyncio.shield(self._load_once(environment))
            if held is None:
                self._held.pop(environment, None)
                return None
            self._held[environment] = held
        return held

    def _load_once(self, environment: str) -> "asyncio.Future[Snapshot | None]":
        loading = self._loading.get(environment)
        if loading is None:
            loop = asyncio.get_running_loop()
            held = self._held.get(environment)
            loading = loop.run_in_executor(self._executor, self._load, environment, held)
            self._loading[environment] = loading
            loading.add_done_callback(lambda _: self._loading.pop(environment, None))
        return loading


def database_down() -> Unavailable:
    """The refusal while facts cannot be read: fail closed."""
    sentence = "The database does not answer; nothing is allowed until it does."
    return Unavailable("directory_unavailable", sentence)
