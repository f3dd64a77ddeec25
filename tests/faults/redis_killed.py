"""Redis dies and comes back empty: limits are counted by each worker meanwhile."""

import time
from collections.abc import Sequence

from tests.faults.client import Load
from tests.faults.outage import PATIENCE, survived
from tests.faults.stage import staged


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """Calls go on without Redis, and nothing is left out of the record."""
    with staged() as stage:
        redis = stage.redis
        assert redis, "it is staged with one"

        def kill(load: Load) -> None:
            redis.kill()
            load.until_all_answer(time.monotonic(), PATIENCE)  # without Redis
            time.sleep(0.5 if short else 3.0)  # how long it is away is the subject
            redis.start()

        return survived(stage, kill, short=short)
