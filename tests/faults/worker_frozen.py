"""A worker stands still for ten seconds, with calls in its hands, and goes on."""

import time
from collections.abc import Sequence

from tests.faults.client import Load
from tests.faults.outage import survived
from tests.faults.stage import staged


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """What it held ends as it should, and the other worker never waits for it."""
    with staged() as stage:
        frozen = stage.workers[0]

        def freeze(_load: Load) -> None:
            frozen.freeze()
            time.sleep(2.0 if short else 10.0)  # how long it is frozen is the subject
            frozen.thaw()

        return survived(stage, freeze, short=short)
