"""MCP over the pipes of a process: one long-lived process a connection, many calls at a time."""

import asyncio
import itertools
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
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._calls: dict[int, Call] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._heard: Heard | None = None
        self._process: Process | None = None
        self._closed = False

    async def start(self) -> None:
        """Start the process where none runs; raises UpstreamUnavailable."""
        if self._closed:
            raise UpstreamUnavailable("The connection to the upstream was closed.")
        if self._process is None or self._process.ended:
            process = Process(self._hear, self._fail)
            template = self._template
            process.spawn(self._argv, self._environment, template.cwd, template.limits)
            self._process = process

    async def ask(self, call: Call, session: Session) -> Message:
        """Write one request and wait for its result; raises UpstreamError."""
        async with self._slots:
            number = next(self._numbers)
            answer = asyncio.get_running_loop().create_future()
            self._waiting[number] = answer
            self._calls[number] = call
            try:
                self._write(call.body(number, session.info.era))
                call.sent = True
                message = await answer
            except asyncio.CancelledError:
                self._cancel(number, call)
                raise
            finally:
                del self._waiting[number], self._calls[number]
        return jsonrpc.outcome(message, number)

    async def tell(self, body: bytes, _session: Session, /) -> None:
        """Write a message that has no answer; raises UpstreamError."""
        self._write(body)

    async def listen(self, session: Session, wanted: Mapping[str, JSON], heard: Heard, /) -> bool:
        """Hear of changes until the process ends; raises UpstreamError."""
        number, self._heard = next(self._numbers), heard
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            if session.info.era == "stateless":
                call = Call(notices.LISTEN, {"notifications": wanted})
                self._write(call.body(number, session.info.era))
            jsonrpc.outcome(await self._waiting[number], number)
        except UpstreamRpcError:
            return False
        finally:
            self._heard = None
            del self._waiting[number]
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
        message = jsonrpc.read(line)
        if jsonrpc.is_response(message):
            self._settle(message)
        elif self._heard and (notice := notices.notice_of(message)):
            self._heard(notice)
        elif (call := self._calls.get(jsonrpc.progress_of(message))) and call.listener:
            task = asyncio.create_task(self._tell(call, message))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
        elif answer := jsonrpc.answer_for(message):
            with suppress(UpstreamError):
                self._write(answer)

    async def _tell(self, call: Call, message: Message) -> None:
        """Let the listener of a request hear what is said of it."""
        await call.answer(message)

    def _settle(self, message: Message) -> None:
        number = message.get("id")
        answer = self._waiting.get(number) if isinstance(number, int) else None
        if answer is not None and not answer.done():  # else nobody waits any more
            answer.set_result(message)

    def _fail(self, reason: UpstreamError) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(reason)
