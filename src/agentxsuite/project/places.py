"""The management plane's bound: so many requests at a time, so that a crowd leaves some database.

A request takes a thread and a connection of the database before anybody knows who sent it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from agentxsuite.gateway.http import Message, Receive, Scope, Send, problem
from agentxsuite.gateway.refusals import Unavailable

MOST: Final = 20
WAIT: Final = 5.0  # seconds

Application = Callable[[Any, Any, Any], Awaitable[None]]  # Django's words for ASGI are others


class Places:
    """An ASGI application before which all but `most` requests wait, for `wait` seconds at most."""

    def __init__(self, application: Application, most: int = MOST, wait: float = WAIT) -> None:
        self._application = application
        self._free = asyncio.Semaphore(most)
        self._wait = wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with 503 when no place becomes free."""
        place = Place(self._free, self._wait, receive)
        try:
            await self._application(scope, place.receive, send)
        finally:
            place.leave()
        if place.refused:
            await problem(send, Crowded())


class Place:
    """One request's place: taken when all of it has come, so that who is slow holds none."""

    def __init__(self, free: asyncio.Semaphore, wait: float, receive: Receive) -> None:
        self._free, self._wait, self._receive = free, wait, receive
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

    def leave(self) -> None:
        """Give the place to the next one."""
        if self._taken:
            self._free.release()


class Crowded(Unavailable):
    """Too many others are being answered."""

    def __init__(self) -> None:
        sentence = "Too many requests are being answered; nothing was done: try again."
        super().__init__("too_crowded", sentence, WAIT)
