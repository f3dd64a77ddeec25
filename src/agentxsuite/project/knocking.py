"""Whoever had all their tries to log in is told so before the doors, at next to no cost.

The doors count tries themselves (`control.tenancy.tries`). But to get as far as there a request
takes a thread and some milliseconds of this process, and one who guesses passwords without a pause
would take them from the calls of everybody else. The answer is held back for a moment as well, and
few are let in at a time.
"""

import asyncio
from typing import Final

from agentxsuite.control.problems import Throttled
from agentxsuite.control.rest.answers import plain
from agentxsuite.control.tenancy import tries
from agentxsuite.gateway.http import Receive, Scope, Send
from agentxsuite.project.places import Application, Places

PAUSE: Final = 0.25  # seconds
MOST: Final = 2  # who are let in at a time: no more can hash
DOORS: Final = frozenset({"/api/v1/auth/login/", "/api/v1/auth/register/"})


class Knocking:
    """An ASGI application of whose doors some are shut to who knocked too often."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._doors = Places(application, MOST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with 429 where its address has to wait."""
        if scope["path"] not in DOORS or scope["method"] != "POST":
            await self._application(scope, receive, send)
        elif seconds := _seconds_to_wait(scope):
            await _refuse(send, seconds)
        else:
            await self._doors(scope, receive, send)


def _seconds_to_wait(scope: Scope) -> float:
    client = scope.get("client")
    return tries.seconds_to_wait(client[0]) if client else 0.0


async def _refuse(send: Send, seconds: float) -> None:
    await asyncio.sleep(PAUSE)
    answer = plain(Throttled(tries.TOO_MANY, seconds))
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.items()]
    headers.append((b"content-length", str(len(answer.content)).encode()))
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})
