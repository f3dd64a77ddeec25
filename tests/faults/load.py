"""A program: callers in a closed loop over several workers; every attempt is written down.

``python -m tests.faults.load`` reads its plan as JSON from its input and calls until SIGTERM.
"""

import asyncio
import signal
import sys
import time
from io import BufferedWriter
from itertools import count
from pathlib import Path

import msgspec
import uvloop

from benchmarks.http1 import Answer as Reply
from benchmarks.http1 import Connection, connect
from tests.faults import doors
from tests.faults.answers import LOST, REFUSED, Answer, Plan

SILENCE = 30.0  # seconds without an answer after which it counts as lost
SHUNNED = 0.5  # seconds for which a worker that refused, or closes, is not asked
PAUSE = 0.05  # seconds after anything but success: a caller that fails does not spin
AGAIN = 0.3  # seconds between two attempts under one key
LATER = {409, 429, 503}  # answers that mean: not now


class Callers:
    """All of the load."""

    def __init__(self, plan: Plan, log: BufferedWriter) -> None:
        self._plan = plan
        self._log = log
        self._numbers = count()
        self._shunned = [0.0] * len(plan.urls)  # until when
        self._repeating: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Call until stopped, then see the repeated ones through."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stopped.set)
        callers = [self._keep_calling(number) for number in range(self._plan.callers)]
        await asyncio.gather(*callers)
        if self._repeating:
            await asyncio.wait(self._repeating, timeout=self._plan.patience)

    async def _keep_calling(self, caller: int) -> None:
        """One caller: at home as long as it is let in, else at the next worker."""
        home = caller % len(self._plan.urls)
        fresh = bool(self._plan.fresh) and caller % self._plan.fresh == 0
        lines: dict[int, Connection] = {}
        while not self._stopped.is_set():
            number = next(self._numbers)
            call = f"{self._plan.prefix}-{number}"
            key = bool(self._plan.keyed) and number % self._plan.keyed == 0
            answer = await self._attempt(call, self._choose(home), lines, key=key)
            while answer.error.startswith(REFUSED) and not self._stopped.is_set():
                answer = await self._attempt(call, self._choose(home), lines, key=key)
            if key and unsettled(answer):
                self._repeat(call, home)
            if fresh:
                hang_up(lines)
            await asyncio.sleep(self._plan.pause if answer.status == 201 else PAUSE)  # its pace
        hang_up(lines)

    def _repeat(self, call: str, home: int) -> None:
        task = asyncio.create_task(self._keep_repeating(call, home))
        self._repeating.add(task)
        task.add_done_callback(self._repeating.discard)

    async def _keep_repeating(self, call: str, home: int) -> None:
        """Ask under the same key, another worker each time, until there is an answer to keep."""
        lines: dict[int, Connection] = {}
        for turn in count(1):
            await asyncio.sleep(AGAIN)  # the pace of a caller that waits for its answer
            worker = self._choose(home + turn)
            if not unsettled(await self._attempt(call, worker, lines, key=True)):
                break
        hang_up(lines)

    def _choose(self, home: int) -> int:
        """The first worker from home on that is not shunned; home when all are."""
        workers, now = len(self._shunned), time.monotonic()
        turns = [(home + turn) % workers for turn in range(workers)]
        return next((worker for worker in turns if self._shunned[worker] < now), turns[0])

    async def _attempt(
        self, call: str, worker: int, lines: dict[int, Connection], *, key: bool
    ) -> Answer:
        """Send the call once; anything that happens is an answer, and written down."""
        sent, error, reply = time.monotonic(), "", None
        try:
            if worker not in lines or lines[worker].closed:
                lines[worker] = await connect(self._plan.urls[worker])
        except OSError as problem:
            error = f"{REFUSED}: {problem!r}"
            self._shun(worker)
            await asyncio.sleep(PAUSE)  # the pace of a caller that fails
        else:
            reply, error = await self._exchange(
                lines[worker], doors.request(self._plan, worker, call, key=key)
            )
            if reply and lines[worker].closed:  # announced: it answered, and closed
                self._shun(worker)
        told = {**doors.read(reply), "error": error}
        answer = Answer(call, key, worker, sent, time.monotonic(), **told)
        self._log.write(msgspec.json.encode(answer) + b"\n")
        self._log.flush()
        return answer

    async def _exchange(self, line: Connection, request: bytes) -> tuple[Reply | None, str]:
        try:
            async with asyncio.timeout(SILENCE):
                return await line.exchange(request), ""
        except (OSError, TimeoutError) as problem:
            return None, f"{LOST}: {problem!r}"

    def _shun(self, worker: int) -> None:
        self._shunned[worker] = time.monotonic() + SHUNNED


def hang_up(lines: dict[int, Connection]) -> None:
    """Close all connections of a caller."""
    while lines:
        lines.popitem()[1].close()


def unsettled(answer: Answer) -> bool:
    """Whether asking again may bring another answer than this one."""
    return answer.status == 0 or answer.status in LATER


def main() -> None:
    """Call as planned until told to stop."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    with Path(plan.log).open("ab") as log:

        async def run() -> None:
            await Callers(plan, log).run()

        uvloop.run(run())


if __name__ == "__main__":
    main()
