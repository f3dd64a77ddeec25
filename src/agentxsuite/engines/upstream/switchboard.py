"""Who waits for which message on a stream that many calls share."""

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from agentxsuite.engines.upstream import jsonrpc, notices
from agentxsuite.engines.upstream.calls import Call, Heard
from agentxsuite.engines.upstream.errors import UpstreamError
from agentxsuite.engines.upstream.jsonrpc import Message

Answer = asyncio.Future[Message]


class Switchboard:
    """Numbers requests, and gives what a stream brings to those whom it is for."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._answers: dict[int, Answer] = {}
        self._calls: dict[int, Call] = {}
        self._heard: Heard | None = None
        self._deeds: set[asyncio.Task[None]] = set()

    @contextmanager
    def waiting(self, call: Call) -> Iterator[tuple[int, Answer]]:
        """Give a call its number, and what will be its answer or why there is none."""
        with self._number() as (number, answer):
            self._calls[number] = call
            try:
                yield number, answer
            finally:
                del self._calls[number]

    @contextmanager
    def listening(self, heard: Heard) -> Iterator[tuple[int, Answer]]:
        """Let `heard` have the notices; the answer is that there will be no more of them."""
        self._heard = heard
        try:
            with self._number() as numbered:
                yield numbered
        finally:
            self._heard = None

    def hear(self, message: Message) -> bytes | None:
        """Pass a message on; what is left is a request of the upstream, and our answer to it."""
        if jsonrpc.is_response(message):
            self._settle(message)
        elif self._heard and (notice := notices.notice_of(message)):
            self._heard(notice)
        elif (call := self._calls.get(jsonrpc.progress_of(message))) and call.listener:
            self.keep(_told(call, message))
        else:
            return jsonrpc.answer_for(message)
        return None

    def fail(self, reason: UpstreamError) -> None:
        """Let everybody who waits know that nothing will come."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(reason)

    def keep(self, deed: Coroutine[Any, Any, None]) -> None:
        """Do something that no call waits for."""
        task = asyncio.create_task(deed)
        self._deeds.add(task)
        task.add_done_callback(self._deeds.discard)

    async def quiet(self) -> None:
        """Wait until all that is done."""
        if self._deeds:
            await asyncio.wait(self._deeds)

    @contextmanager
    def _number(self) -> Iterator[tuple[int, Answer]]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            yield number, answer
        finally:
            del self._answers[number]

    def _settle(self, message: Message) -> None:
        number = message.get("id")
        answer = self._answers.get(number) if isinstance(number, int) else None
        if answer is not None and not answer.done():  # else nobody waits any more
            answer.set_result(message)


async def _told(call: Call, message: Message) -> None:
    await call.answer(message)
