"""A closed-loop load client: so many connections, each calling as soon as it has its answer.

Run it alone, for example
``python -m benchmarks.load http://127.0.0.1:9000/mcp --era 2026-07-28 -c 1 32``.
"""

import argparse
import asyncio
import gc
import statistics
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter

import uvloop

from benchmarks import calls
from benchmarks.calls import Address, Call, WrongAnswerError
from benchmarks.http1 import connect

PATIENCE = 30  # seconds beyond the measured time until a stuck server ends the measurement
MOST_WRONG = 20  # answers, until the measurement is given up


@dataclass(frozen=True, slots=True)
class Sample:
    """What one measurement found; latencies in seconds, sorted."""

    rate: float
    latencies: list[float] = field(repr=False)
    answers: int  # right and wrong ones, those before and after the measured time too
    wrong: tuple[str, ...] = ()

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that this share of the calls stays under."""
        return self.latencies[int(share * (len(self.latencies) - 1))] * 1000


class Load:
    """One measurement of one kind of call."""

    def __init__(self, call: Call, warmup: float, seconds: float) -> None:
        self._call = call
        self._numbers = count(calls.FIRST)
        self._latencies: list[float] = []
        self._wrong: list[str] = []
        self._from = perf_counter() + warmup
        self._until = self._from + seconds
        self._seconds = seconds

    async def run(self, connections: int) -> Sample:
        """Keep this many connections busy; raises WrongAnswerError if the server is useless."""
        try:
            async with asyncio.timeout(self._until - perf_counter() + PATIENCE):
                await asyncio.gather(*(self._keep_calling() for _ in range(connections)))
        except (TimeoutError, OSError) as error:
            raise WrongAnswerError(f"the server failed: {error!r} {self._wrong[:1]}") from error
        if not self._latencies:
            raise WrongAnswerError(f"no call succeeded: {self._wrong[:1]}")
        rate = len(self._latencies) / self._seconds
        answers = next(self._numbers) - calls.FIRST
        return Sample(rate, sorted(self._latencies), answers, tuple(self._wrong))

    async def _keep_calling(self) -> None:
        connection = await connect(self._call.address.url)
        template = await self._call.open(connection)
        begun = perf_counter()
        while begun < self._until and len(self._wrong) < MOST_WRONG:
            number = next(self._numbers)
            answer = await connection.exchange(template.request(number))
            ended = perf_counter()
            try:
                template.check(number, answer)
            except WrongAnswerError as error:
                self._wrong.append(str(error))
            else:
                if self._from <= ended < self._until:
                    self._latencies.append(ended - begun)
            begun = perf_counter()
        connection.close()


def measure(call: Call, connections: int, seconds: float, warmup: float = 0.5) -> Sample:
    """Load a server on an event loop of its own; ``seconds`` count, ``warmup`` come before."""

    async def run() -> Sample:
        return await Load(call, warmup, seconds).run(connections)

    gc.collect()
    gc.disable()  # the client shares the machine with what it measures: keep its share small
    try:
        return uvloop.run(run())
    finally:
        gc.enable()


def chosen_call(options: argparse.Namespace) -> Call:
    """The call that the command line asks for."""
    address = Address(options.url, options.token)
    if options.agent:
        return calls.rest(address, options.agent, options.tool)
    kind = calls.stateless if options.era == calls.STATELESS else calls.older
    return kind(address, options.tool)


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--token", help="bearer token to send")
    parser.add_argument("--tool", default="echo")
    parser.add_argument("--agent", help="call runs/execute as this agent, not an MCP endpoint")
    parser.add_argument("--era", choices=(calls.STATELESS, calls.OLDER), default=calls.STATELESS)
    parser.add_argument("-c", "--connections", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    call = chosen_call(options)
    for connections in options.connections:
        samples = [measure(call, connections, options.seconds) for _ in range(options.rounds)]
        rates = [sample.rate for sample in samples]
        wrong = sum(len(sample.wrong) for sample in samples)
        p99 = statistics.median(sample.percentile(0.99) for sample in samples)
        print(
            f"c={connections}: {statistics.median(rates):,.0f} calls/s"
            f" ({min(rates):,.0f} to {max(rates):,.0f}), p99 {p99:.2f} ms, {wrong} wrong"
        )


if __name__ == "__main__":
    main()
