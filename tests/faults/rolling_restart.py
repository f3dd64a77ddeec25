"""Both workers are restarted, one after the other, by SIGTERM, and nobody loses an answer."""

import signal
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from tests.faults import evidence
from tests.faults.broken import Broken, require
from tests.faults.client import Load, loaded
from tests.faults.evidence import show, told
from tests.faults.outage import AROUND, PATIENCE, SETTLED
from tests.faults.progress import say
from tests.faults.stage import Stage, staged

ROUNDS = {True: 1, False: 2}  # short or not
# Without those of workers that an earlier scenario killed: they are swept once a minute.
LEASES = "SELECT count(*) FROM runs_worker WHERE heartbeat_at >= %s"
NOW = "SELECT now()"


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """Every call that was sent is answered with success, by whichever worker."""
    with staged() as stage:
        since = evidence.query(stage.admin, NOW)[0][0]
        with loaded(stage, callers=64, pause=0.03, fresh=4) as load:
            for number in range(1, ROUNDS[short] + 1):
                taken = [restart(stage, load, index) for index in range(len(stage.workers))]
                say(f"   restarted {number} of {ROUNDS[short]}: {len(load.answers())} attempts")
            time.sleep(AROUND[short])  # the load is the subject
        evidence.settle(stage, SETTLED)
        require([*not_answered(load), *leases(stage, since)])
        drained = ", ".join(f"{seconds:.1f} s" for seconds in taken)
        return [f"0 answers lost; drained in {drained}", *evidence.agreed(stage, load)]


def restart(stage: Stage, load: Load, index: int) -> float:
    """Stop one worker in order, start it again; the seconds it took to stop."""
    worker, begun = stage.workers[index], time.monotonic()
    worker.signal(signal.SIGTERM)
    if status := worker.wait():
        raise Broken(f"worker {index} ended with status {status}:", *worker.said().splitlines())
    ended = time.monotonic()
    worker.start()
    load.until_all_answer(time.monotonic(), PATIENCE)
    return ended - begun


def not_answered(load: Load) -> Iterator[str]:
    """Attempts that were sent and got no answer, or another one than success."""
    answers = load.answers()
    yield from told("lost", (show(answer) for answer in answers if answer.lost))
    others = (answer for answer in answers if answer.status not in (0, 201))
    yield from told("answered, but not by success", map(show, others))


def leases(stage: Stage, since: datetime) -> Iterator[str]:
    """Workers that left without taking their lease along."""
    found = evidence.query(stage.admin, LEASES, since)[0][0]
    if found > len(stage.workers):
        yield f"{found} leases of {len(stage.workers)} workers"
