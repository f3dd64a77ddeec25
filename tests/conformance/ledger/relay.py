"""What stands between a client and PostgreSQL, and can hold up or cut what passes."""

import asyncio
from contextlib import suppress

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from agentxsuite.control.storage.roles import conninfo

CHUNK = 65536


async def opened_relay(folder):
    """A relay that listens in a folder."""
    relay = Relay(folder)
    relay.server = await asyncio.start_unix_server(relay.pass_on, folder / ".s.PGSQL.5432")
    return relay


class Relay:
    """Passes bytes on both ways, while ``asking`` and ``answering`` are set."""

    def __init__(self, folder):
        self._folder = folder
        self._target = conninfo("ledger")
        self._open = set()
        self._pumps = set()
        self._accepting = True
        self.server = None
        self.asking, self.answering = asyncio.Event(), asyncio.Event()
        self.thaw()

    @property
    def conninfo(self):
        return make_conninfo(self._target, host=str(self._folder), port=5432)

    def freeze(self):
        """Nothing passes any more, and nobody is told."""
        self.asking.clear()
        self.answering.clear()

    def thaw(self):
        self.asking.set()
        self.answering.set()

    def mute(self):
        """What is asked still arrives, but no answer comes back."""
        self.answering.clear()

    def cut(self):
        """Every connection ends."""
        while self._open:
            self._open.pop().transport.abort()

    def refuse(self):
        self._accepting = False
        self.cut()

    def accept(self):
        self._accepting = True

    async def aclose(self):
        self.server.close()
        self.cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def pass_on(self, reader, writer):
        if not self._accepting:
            writer.transport.abort()
            return
        there = await self._connect()
        self._open |= {writer, there[1]}
        for gate, source, sink in (
            (self.asking, reader, there[1]),
            (self.answering, there[0], writer),
        ):
            pump = asyncio.ensure_future(self._pump(gate, source, sink))
            self._pumps.add(pump)

    async def _connect(self):
        known = conninfo_to_dict(self._target)
        host, port = known["host"], known.get("port", 5432)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _pump(self, gate, source, sink):
        with suppress(OSError):
            while data := await source.read(CHUNK):
                await gate.wait()
                sink.write(data)
        sink.close()
