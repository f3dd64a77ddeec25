"""The tools' server dies in the middle of its calls, and comes back."""

import time
from collections.abc import Sequence

from tests.faults.client import Load
from tests.faults.outage import survived
from tests.faults.stage import staged


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """Callers are told, and every call that reached it is on record."""
    with staged() as stage:

        def kill(_load: Load) -> None:
            stage.upstream.kill()
            time.sleep(0.5 if short else 3.0)  # how long it is away is the subject
            stage.upstream.start()

        return survived(stage, kill, short=short)
