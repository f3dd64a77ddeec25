"""The server behind `agentxsuite serve`: it answers until told to stop, and then loses no answer.

SIGTERM, or SIGINT, drains in two stages:

1. For `ANNOUNCED` seconds, or until no connection is left, `/readyz` answers 503 and every answer
   closes its connection, while new ones are still let in: balancers and clients turn away.
2. Nobody is let in any more, streams that would never end are ended, what is in flight is finished
   (at most as long as a call may take), and the application ends: its record is written out, its
   lease is given back.

A second signal hangs up on those who still wait: their calls end as cancelled, on record. A third
one leaves everything as it is. A worker with a supervisor hears all this from it alone: a signal to
the whole group of processes would reach it twice, and count as two.
"""

import asyncio
import gc
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agentxsuite.gateway.http import Receive, Scope, Send, problem
from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.rest import LONGEST
from agentxsuite.gateway.sse import END_STREAMS

APPLICATION = "agentxsuite.project.asgi:application"
ANNOUNCED = 2.0  # seconds for which leaving is announced
GREETED = 1.0  # seconds that the last ones let in have to say what they want
RECORDING = 10.0  # seconds beyond the longest call, in which its end is recorded
FINISHED = LONGEST + 2 * RECORDING  # seconds after which nothing is waited for
TICK = 0.05  # seconds between two looks at what is left
CLOSE = (b"connection", b"close")
HURRY, LEAVE = 2, 3  # which signal does it
STARTED, STOP = b"started", b"stop"  # what a worker says, and what it is told

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def configured(host: str, port: int, workers: int = 1) -> uvicorn.Config:
    """How every worker serves."""
    return uvicorn.Config(
        APPLICATION,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the socket's address is told: `proxies` judges what others say
    )


class Server(uvicorn.Server):
    """One worker; `line` leads to its supervisor, who hears when it serves and alone stops it."""

    def __init__(self, config: uvicorn.Config, line: Connection | None = None) -> None:
        super().__init__(config)
        self._line = line
        self._told = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn calls it so
        """Take note of a signal, unless a supervisor does: it tells us."""
        if self._line is None:
            self.stop()

    def stop(self) -> None:
        """Begin to drain; asked again, hurry."""
        self._told += 1
        self.should_exit = True
        self.force_exit = self._told >= LEAVE

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Let callers in, and tell the supervisor; without one any more, stop."""
        gc.collect()
        gc.freeze()  # what was loaded stays: looking through it again would stop all calls
        if self._line is not None:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._line.fileno(), self._obey, self._line)
        await super().startup(sockets)
        if self._line is not None:
            with suppress(OSError):  # it is gone already, and that is told as well
                self._line.send_bytes(STARTED)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, as this module says."""
        await self._announce()
        await self._let_last_ones_in(sockets or [])
        if end_streams := self.lifespan.state.get(END_STREAMS):
            end_streams()
        await self._finish()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _announce(self) -> None:
        """Answer everybody, and send them elsewhere."""
        state, config = self.server_state, self.config
        config.loaded_app = not_ready(config.loaded_app)
        for line in self._lines():
            line.app = config.loaded_app
        until = time.monotonic() + ANNOUNCED
        await self._send_elsewhere()
        while state.connections and self._told < HURRY and time.monotonic() < until:
            await asyncio.sleep(TICK)
            await self._send_elsewhere()

    async def _send_elsewhere(self) -> None:
        """Let every answer say that the connection ends with it."""
        await self.on_tick(0)  # renews the headers of all answers to come
        self.server_state.default_headers.append(CLOSE)
        for line in filter(is_busy, self._lines()):
            line.cycle.keep_alive = False  # it took its headers before

    async def _let_last_ones_in(self, sockets: list[socket.socket]) -> None:
        """Stop to listen, but accept whom the system has already promised an answer."""
        listening = [one for server in self.servers for one in server.sockets or ()]
        spares = [socket.socket(fileno=socket.dup(one.fileno())) for one in listening]
        for server in self.servers:
            server.close()
        for given in sockets:
            given.close()
        waiting = [caller for spare in spares for caller in accept_all(spare)]
        for caller in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, caller)

    def _protocol(self) -> asyncio.Protocol:
        return HttpToolsProtocol(self.config, self.server_state, self.lifespan.state)

    async def _finish(self) -> None:
        """See what is in flight to its end, or hang up."""
        state, begun, passed = self.server_state, time.monotonic(), 0.0
        while (state.connections or state.tasks) and not self.force_exit and passed < FINISHED:
            hurried = self._told >= HURRY or passed > LONGEST + RECORDING
            for line in self._lines():
                if hurried:
                    line.transport.abort()
                elif passed > GREETED or not is_new(line):
                    line.shutdown()
            await asyncio.sleep(TICK)
            await self._send_elsewhere()
            passed = time.monotonic() - begun

    def _lines(self) -> list[HttpToolsProtocol]:
        """The connections of callers."""
        return [one for one in self.server_state.connections if isinstance(one, HttpToolsProtocol)]

    def _obey(self, line: Connection) -> None:
        """Stop as told; also when nobody is left to tell, and from then on heed signals."""
        try:
            line.recv_bytes()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(line.fileno())
            self._line = None
            if self._told:  # it is on its way, and need not hurry
                return
        self.stop()


def not_ready(app: Application) -> Application:
    """The application, but for `/readyz`: that answers 503."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/readyz":
            sentence = "The gateway is starting or stopping: try again."
            await problem(send, Unavailable("starting", sentence))
        else:
            await app(scope, receive, send)

    return answer


def is_new(line: HttpToolsProtocol) -> bool:
    """Whether nothing was asked on this connection yet."""
    return line.cycle is None


def is_busy(line: HttpToolsProtocol) -> bool:
    """Whether a request of this connection is not answered yet."""
    return line.cycle is not None and not line.cycle.response_complete


def accept_all(listening: socket.socket) -> list[socket.socket]:
    """Whoever waits to be let in; nobody comes after them."""
    callers = []
    with listening:
        listening.setblocking(False)  # noqa: FBT003 - Python's own
        while True:
            try:
                callers.append(listening.accept()[0])
            except BlockingIOError:
                return callers
