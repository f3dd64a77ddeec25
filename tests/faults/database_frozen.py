"""PostgreSQL stands still for ten seconds: connections stay, and nothing answers."""

import time
from collections.abc import Sequence

from tests.faults.client import Load
from tests.faults.outage import survived
from tests.faults.stage import staged


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """Nothing runs unrecorded, nobody sees a 500, and all is well in 5 s."""
    with staged() as stage:
        database = stage.database
        assert database, "it is staged with one"

        def freeze(_load: Load) -> None:
            database.freeze()
            time.sleep(2.0 if short else 10.0)  # how long it is frozen is the subject
            database.thaw()

        return survived(stage, freeze, short=short)
