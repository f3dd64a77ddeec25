"""An upstream that a test holds back: it notes what it was asked and answers when told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgiref.sync import sync_to_async

from agentxsuite.control.catalog.models import Connection
from tests.servers.mcp_raw import Asked, RawServer, stateless

ANSWER = {"content": [{"type": "text", "text": "done"}], "isError": False}


class Held:
    """A server of the new era, put in the place of a connection's own."""

    def __init__(self) -> None:
        self.calls: list[Asked] = []
        self.broken = 0  # how many of the next calls are answered with an error
        self.result = ANSWER
        self.free = asyncio.Event()
        self.free.set()
        self.gone = asyncio.Event()
        self._arrivals = asyncio.Semaphore(0)

    async def arrived(self) -> None:
        """Wait for one more call."""
        async with asyncio.timeout(10):
            await self._arrivals.acquire()

    async def answer(self, asked: Asked) -> None:
        """Answer one call, once it is free to; notes when its caller hangs up before."""
        self.calls.append(asked)
        self._arrivals.release()
        leaving = asyncio.ensure_future(asked.gone())
        freed = asyncio.ensure_future(self.free.wait())
        await asyncio.wait([leaving, freed], return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            self.gone.set()
            return
        leaving.cancel()
        await asyncio.wait([leaving])
        if self.broken:
            self.broken -= 1
            asked.error(-32050, "not on Sundays")
        else:
            asked.result(self.result)


@asynccontextmanager
async def holding() -> AsyncIterator[Held]:
    """All connections point at a server that can be held back."""
    held = Held()
    async with RawServer(stateless(held.answer)) as server:
        await sync_to_async(Connection.objects.update)(endpoint=server.url)
        yield held
        held.free.set()
