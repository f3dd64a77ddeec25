"""PostgreSQL is stopped at once, as by ``pg_ctl stop -m immediate``, and started again."""

import time
from collections.abc import Sequence

from tests.faults.client import Load
from tests.faults.outage import survived
from tests.faults.stage import staged

AWAY = 3.0  # seconds
ROUNDS = {True: 1, False: 3}  # short or not


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """Nothing runs unrecorded, nobody sees a 500, and all is well in 5 s."""
    with staged() as stage:
        database = stage.database
        assert database, "it is staged with one"

        def stop(_load: Load) -> None:
            database.stop_immediately()
            time.sleep(1.0 if short else AWAY)  # how long it is away is the subject
            database.start()

        rounds = [survived(stage, stop, short=short) for _ in range(ROUNDS[short])]
    return [line for lines in rounds for line in lines]
