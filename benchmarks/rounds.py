"""Interleaved rounds: in each, every target is measured at every number of connections."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.calls import Call
from benchmarks.load import measure
from benchmarks.processes import cpu_seconds

CONNECTIONS = (1, 32)


@dataclass(frozen=True, slots=True)
class Target:
    """What is measured: a call, and the process that serves it."""

    name: str
    call: Call
    pid: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement: calls a second, latencies in milliseconds, CPU microseconds a call."""

    rate: float
    p50: float
    p99: float
    cpu: float
    wrong: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int
    seconds: float
    warmup: float

    def __str__(self) -> str:
        return f"{self.rounds} interleaved rounds of {self.seconds:g} s each"


class Readings:
    """Every reading, by target, connections and round."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], list[Reading]] = {}

    def add(self, name: str, connections: int, reading: Reading) -> None:
        """Keep the reading of the next round."""
        self._taken.setdefault((name, connections), []).append(reading)

    def of(self, name: str, connections: int) -> list[Reading]:
        """The readings of a target, by round."""
        return self._taken[name, connections]

    def names(self) -> list[str]:
        """The targets, in the order of their measurement."""
        return list(dict.fromkeys(name for name, _ in self._taken))

    def wrong(self) -> int:
        """How many answers were wrong, in all."""
        return sum(reading.wrong for taken in self._taken.values() for reading in taken)

    def ratio(self, name: str, to: str, connections: int) -> float:
        """The median, over the rounds, of one target's rate to another's in the same round."""
        pairs = zip(self.of(name, connections), self.of(to, connections), strict=True)
        return median(one.rate / other.rate for one, other in pairs)


def measured(targets: Sequence[Target], plan: Plan, progress: Callable[[str], None]) -> Readings:
    """Measure all targets; raises WrongAnswerError where one is of no use."""
    readings = Readings()
    for number, target, connections in order(targets, plan.rounds):
        reading = read(target, connections, plan)
        readings.add(target.name, connections, reading)
        progress(
            f"round {number} of {plan.rounds}  {target.name:32} c={connections:<3}"
            f" {reading.rate:9,.0f} calls/s  p99 {reading.p99:7.2f} ms"
        )
    return readings


def order(targets: Sequence[Target], rounds: int) -> Iterator[tuple[int, Target, int]]:
    """What is measured when: neighbours in the report are neighbours in time."""
    for number in range(1, rounds + 1):
        for connections in CONNECTIONS:
            for target in targets:
                yield number, target, connections


def read(target: Target, connections: int, plan: Plan) -> Reading:
    """Take one reading."""
    used = cpu_seconds(target.pid)
    sample = measure(target.call, connections, plan.seconds, plan.warmup)
    used = cpu_seconds(target.pid) - used
    return Reading(
        rate=sample.rate,
        p50=sample.percentile(0.5),
        p99=sample.percentile(0.99),
        cpu=used / sample.answers * 1e6,
        wrong=len(sample.wrong),
    )
