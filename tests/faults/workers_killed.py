"""Workers are killed, one after the other, twenty times, and started again."""

import random
import time
from collections.abc import Sequence

from tests.faults import evidence
from tests.faults.client import loaded
from tests.faults.outage import PATIENCE, SETTLED, judged
from tests.faults.progress import say
from tests.faults.stage import Stage, staged

KILLS = {True: 3, False: 20}  # short or not
UNDER_KEYS = 40.0  # seconds that callers go on asking under the keys of killed calls


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """No run stays open, no key is dispatched twice, every answered call is on record."""
    with staged() as stage:
        with loaded(stage, patience=1.0 if short else UNDER_KEYS) as load:
            for number in range(1, KILLS[short] + 1):
                ended = kill(stage, number)
                load.until_all_answer(ended, PATIENCE)
                say(f"   killed {number} of {KILLS[short]}: {len(load.answers())} attempts so far")
        if not short:
            evidence.settle(stage, SETTLED)
        return judged(stage, load, ended)


def kill(stage: Stage, number: int) -> float:
    """Kill one worker at some moment, start it again; the moment it was up."""
    worker = stage.workers[number % len(stage.workers)]
    time.sleep(random.uniform(0.1, 0.6))  # noqa: S311 - any moment will do, and it is the subject
    worker.kill()
    worker.start()
    return time.monotonic()
