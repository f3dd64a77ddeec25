"""The server without one of its promises, to see what the promise costs: never for anything else.

``BENCH_WITHOUT`` names what is left out; ``uvicorn benchmarks.without:application`` serves it.
"""

import asyncio
import os

from agentxsuite.project.asgi import application  # sets Django up, so it comes first

# isort: split
from agentxsuite.engines.limits import MemoryLimiter
from agentxsuite.gateway import asgi
from agentxsuite.gateway.gate import Facts, Question
from agentxsuite.gateway.ledger import GroupCommit
from agentxsuite.gateway.orm import FreshDirectory
from agentxsuite.gateway.rows import Change

__all__ = ["application"]
LEFT_OUT = os.environ["BENCH_WITHOUT"]


class Forgetful(GroupCommit):
    """Says that it is written down, and writes nothing."""

    def commit(self, _change: Change) -> asyncio.Future[None]:
        """Be done at once."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


class Remembering:
    """Asks the database once and believes the answer for ever."""

    def __init__(self, directory: FreshDirectory) -> None:
        self._directory = directory
        self._answers: dict[Question, Facts] = {}

    async def ask(self, question: Question) -> Facts:
        """Answer as the first time."""
        if question not in self._answers:
            self._answers[question] = await self._directory.ask(question)
        return self._answers[question]

    async def aclose(self) -> None:
        """Let go of the database."""
        await self._directory.aclose()


def leave_out(promise: str) -> None:
    """Put what keeps the promise aside."""
    directory, conninfo = asgi.open_directory, asgi.conninfo
    if promise == "record":
        asgi.GroupCommit = Forgetful
    elif promise == "freshness":
        asgi.open_directory = lambda: Remembering(directory())  # type: ignore[assignment, return-value]  # it asks as little as it must
    elif promise == "wall":
        asgi.conninfo = lambda _role="app": conninfo("owner")
    elif promise == "shared limits":
        asgi.open_limiter = MemoryLimiter
    elif promise != "nothing":
        raise ValueError(promise)


leave_out(LEFT_OUT)
