"""What servers offer beside tools, asked when somebody wants to know, kept for a little while.

One question serves all who wait for it and outlives them. A server that fails is left alone for a
moment, so that it does not slow the lists of all others.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from agentxsuite import wire
from agentxsuite.engines.upstream import Endpoint, UpstreamError, connection_of

FRESH_SECONDS = 30.0
SPARED_SECONDS = 5.0  # a server that failed
NEW_SECONDS = 1.0
HELD_BYTES = 64 * 1024 * 1024  # of all answers together, about
FLOOR_BYTES = 1024  # what an answer weighs at least

Ask = Callable[[], Coroutine[Any, Any, Any]]
Key = tuple[str, str]  # endpoint and what was asked


@dataclass(frozen=True, slots=True)
class Held:
    """An answer, or why there is none; ``since`` is on the clock."""

    endpoint: Endpoint
    since: float
    answer: Any
    error: UpstreamError | None
    weight: int

    def good(self, endpoint: Endpoint, now: float, *, anew: bool) -> bool:
        """Whether it may be told again; ``anew`` takes only what is as good as new."""
        patience = NEW_SECONDS if anew else SPARED_SECONDS if self.error else FRESH_SECONDS
        return self.endpoint == endpoint and now - self.since < patience


def concerns(key: Key, endpoint_id: str) -> bool:
    """Whether what was asked was asked of this endpoint, or of one that a person of it uses."""
    return endpoint_id in {key[0], connection_of(key[0])}


class Offers:
    """Answers by connection and question; another endpoint under the same id is another server."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[Key, Held] = {}
        self._asking: dict[Key, tuple[Endpoint, asyncio.Task[Held]]] = {}
        self._tasks: set[asyncio.Task[Held]] = set()
        self._weight = 0

    async def get(self, endpoint: Endpoint, what: str, ask: Ask, *, anew: bool = False) -> Any:
        """The answer at hand, or a new one where it is old or ``anew``; raises UpstreamError."""
        held = self._held.get((endpoint.id, what))
        if held is None or not held.good(endpoint, self._clock(), anew=anew):
            held = await asyncio.shield(self._asked(endpoint, what, ask))
        if held.error is not None:
            raise held.error.with_traceback(None)
        return held.answer

    def forget(self, endpoint_id: str) -> None:
        """Let go of everything that a connection's server said, to its people or to one of them."""
        for key in [key for key in self._held if concerns(key, endpoint_id)]:
            self._drop(key)
        for key in [key for key in self._asking if concerns(key, endpoint_id)]:
            del self._asking[key]  # whose answer may be of before; who waits for it gets it

    def _asked(self, endpoint: Endpoint, what: str, ask: Ask) -> "asyncio.Task[Held]":
        """The question under way, or a new one."""
        key = endpoint.id, what
        known = self._asking.get(key)
        if known is not None and known[0] == endpoint:
            return known[1]
        task = asyncio.create_task(self._hold(endpoint, what, ask))
        self._asking[key] = endpoint, task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _hold(self, endpoint: Endpoint, what: str, ask: Ask) -> Held:
        key = endpoint.id, what
        try:
            try:
                answer, error = await ask(), None
            except UpstreamError as failure:
                answer, error = None, failure
            weight = FLOOR_BYTES
            if isinstance(answer, list):
                weight += len(wire.dumps(answer))
            held = Held(endpoint, self._clock(), answer, error, weight)
            if self._is_asked(key):
                self._keep(key, held)
            return held
        finally:
            if self._is_asked(key):
                del self._asking[key]

    def _is_asked(self, key: Key) -> bool:
        """Whether this is the task that answers the question for whoever comes now."""
        known = self._asking.get(key)
        return known is not None and known[1] is asyncio.current_task()

    def _keep(self, key: Key, held: Held) -> None:
        """Hold an answer; those held for longest go first when there is too much."""
        self._drop(key)
        self._held[key] = held
        self._weight += held.weight
        while self._weight > HELD_BYTES:
            self._drop(next(iter(self._held)))

    def _drop(self, key: Key) -> None:
        known = self._held.pop(key, None)
        if known is not None:
            self._weight -= known.weight
