"""The management plane's bound: so many requests at a time, so that a crowd leaves some database.

A request takes a thread and a connection of the database before anybody knows who sent it. One
that waits for another server gives its place back meanwhile (`control.rest.elsewhere`); of those
that wait so there is a bound of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from agentxsuite.control.problems import TooManyWaiting
from agentxsuite.control.rest.elsewhere import PLACE
from agentxsuite.gateway.http import Message, Receive, Scope, Send, problem
from agentxsuite.gateway.refusals import Unavailable

MOST: Final = 20
MOST_AWAY: Final = 100  # each keeps a thread
WAIT: Final = 5.0  # seconds

Application = Callable[[Any, Any, Any], Awaitable[None]]  # Django's words for ASGI are others


class Places:
    """An ASGI application before which all but `most` requests wait, for `wait` seconds at most."""

    def __init__(self, application: Application, most: int = MOST, wait: float = WAIT) -> None:
        self._application = application
        self._free = asyncio.Semaphore(most)
        self._away = asyncio.Semaphore(MOST_AWAY)
        self._wait = wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with 503 when no place becomes free."""
        place = Place(self._free, self._away, self._wait, receive)
        try:
            await self._application({**scope, PLACE: place}, place.receive, send)
        finally:
            place.leave()
        if place.refused:
            await problem(send, Crowded())


class Place:
    """One request's place: taken when all of it has come, so that who is slow holds none."""

    def __init__(
        self, free: asyncio.Semaphore, away: asyncio.Semaphore, wait: float, receive: Receive
    ) -> None:
        self._free, self._away, self._wait, self._receive = free, away, wait, receive
        self._taken = False
        self.refused = False

    async def receive(self) -> Message:
        """Pass on what comes; without a place, the request is over before it is begun."""
        message = await self._receive()
        if self._taken or message["type"] != "http.request" or message.get("more_body"):
            return message
        try:
            async with asyncio.timeout(self._wait):
                self._taken = await self._free.acquire()
        except TimeoutError:
            self.refused = True
            return {"type": "http.disconnect"}
        return message

    @asynccontextmanager
    async def given_back(self) -> AsyncIterator[None]:
        """Let the next one have it for a while, however long it takes to get one again after it.

        Raises a Problem when too many wait elsewhere.
        """
        if self._away.locked():
            raise TooManyWaiting
        async with self._away:
            self.leave()
            try:
                yield
            finally:
                self._taken = await self._free.acquire()

    def leave(self) -> None:
        """Give the place to the next one."""
        if self._taken:
            self._taken = False
            self._free.release()


class Crowded(Unavailable):
    """Too many others are being answered."""

    def __init__(self) -> None:
        sentence = "Too many requests are being answered; nothing was done: try again."
        super().__init__("too_crowded", sentence, WAIT)
