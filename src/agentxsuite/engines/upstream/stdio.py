"""MCP over the pipes of a process: one long-lived process a connection, many calls at a time."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from agentxsuite.engines.upstream import jsonrpc, notices
from agentxsuite.engines.upstream.calls import Call, Heard, Session
from agentxsuite.engines.upstream.endpoint import Command, Endpoint
from agentxsuite.engines.upstream.errors import (
    SessionLost,
    UpstreamError,
    UpstreamRpcError,
    UpstreamUnavailable,
)
from agentxsuite.engines.upstream.jsonrpc import Message
from agentxsuite.engines.upstream.process import Process
from agentxsuite.engines.upstream.switchboard import Switchboard
from agentxsuite.engines.upstream.templates import Template
from agentxsuite.wire import JSON


class Stdio:
    """A Channel to a process of an operator's template; at most ``limit`` calls wait at a time."""

    def __init__(
        self, endpoint: Endpoint, command: Command, template: Template, limit: int
    ) -> None:
        self._argv = template.fill(command)
        self._environment = template.environment(endpoint.secret)
        self._template = template
        self._slots = asyncio.Semaphore(limit)
        self._board = Switchboard()
        self._process: Process | None = None
        self._closed = False

    async def start(self) -> None:
        """Start the process where none runs; raises UpstreamUnavailable."""
        if self._closed:
            raise UpstreamUnavailable("The connection to the upstream was closed.")
        if self._process is None or self._process.ended:
            process = Process(self._hear, self._board.fail)
            template = self._template
            process.spawn(self._argv, self._environment, template.cwd, template.limits)
            self._process = process

    async def ask(self, call: Call, session: Session) -> Message:
        """Write one request and wait for its result; raises UpstreamError."""
        async with self._slots:
            with self._board.waiting(call) as (number, answer):
                try:
                    self._write(call.body(number, session.info.era))
                    call.sent = True
                    return jsonrpc.outcome(await answer, number)
                except asyncio.CancelledError:
                    self._cancel(number, call)
                    raise

    async def tell(self, body: bytes, _session: Session, /) -> None:
        """Write a message that has no answer; raises UpstreamError."""
        self._write(body)

    async def listen(self, session: Session, wanted: Mapping[str, JSON], heard: Heard, /) -> bool:
        """Hear of changes until the process ends; raises UpstreamError."""
        with self._board.listening(heard) as (number, ended):
            if session.info.era == "stateless":
                call = Call(notices.LISTEN, {"notifications": wanted})
                self._write(call.body(number, session.info.era))
            try:
                jsonrpc.outcome(await ended, number)
            except UpstreamRpcError:
                return False
        return True

    def show(self, _endpoint: Endpoint, /) -> None:
        """Nothing: a process has what it was started with."""

    async def end(self, _session: Session | None, /) -> None:
        """End the process with its whole group; calls under way fail."""
        self._closed = True
        if self._process is not None:
            await self._process.end()

    def _write(self, body: bytes) -> None:
        if self._process is None or self._process.ended:
            raise SessionLost("The upstream's process has ended.")
        self._process.write(body)

    def _cancel(self, number: int, call: Call) -> None:
        if call.cancellable:
            with suppress(UpstreamError):
                body = jsonrpc.notification("notifications/cancelled", {"requestId": number})
                self._write(body)

    def _hear(self, line: bytes) -> None:
        if not line.startswith(b"{"):
            return  # a server that prints to its output: noise, not an answer
        if answer := self._board.hear(jsonrpc.read(line)):
            with suppress(UpstreamError):
                self._write(answer)
