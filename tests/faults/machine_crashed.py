"""The workers and PostgreSQL die at the same moment, as with the machine that they share."""

import random
import signal
import time
from collections.abc import Sequence

from tests.faults import evidence
from tests.faults.client import Load
from tests.faults.outage import SETTLED, survived
from tests.faults.stage import Stage, staged

ROUNDS = {True: 1, False: 2}  # short or not


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """What was answered is on record: nothing of it was in somebody's memory only."""
    with staged() as stage:

        def crash(_load: Load) -> None:
            time.sleep(random.uniform(0.1, 0.4))  # noqa: S311 - any moment will do, and it is the subject
            die(stage)

        rounds = [survived(stage, crash, short=True) for _ in range(ROUNDS[short])]
        if not short:
            evidence.settle(stage, SETTLED)
    return [line for lines in rounds for line in lines]


def die(stage: Stage) -> None:
    """End all of them in one moment, and start them again."""
    database = stage.database
    assert database, "it is staged with one"
    assert database.process, "it was started"
    database.process.send_signal(signal.SIGQUIT)
    for worker in stage.workers:
        worker.signal(signal.SIGKILL)
    database.stop_immediately()  # by now it only has to be waited for
    database.start()
    for worker in stage.workers:
        worker.wait()
        worker.launch()
    for worker in stage.workers:
        worker.wait_until_listening()
