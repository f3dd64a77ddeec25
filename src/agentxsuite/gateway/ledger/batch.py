"""A batch: changes of many calls that are written together, as one set of rows a table."""

from asyncio import Future
from collections import deque
from collections.abc import Sequence
from operator import itemgetter

from msgspec import Struct

from agentxsuite.gateway.ledger.columns import ONE_KEY
from agentxsuite.gateway.rows import Change, Row

CHANGES = 256  # in one write
BYTES = 8 * 1024 * 1024  # in one write, about


class Pending(Struct, eq=False):
    """A change that waits to be written; ``until`` is when to give up, once it has failed."""

    change: Change
    weight: int
    done: Future[None]
    until: float | None = None


class Batch(Struct, frozen=True):
    """Rows by table; ``released`` are the runs whose keys become free."""

    runs: Sequence[Row]
    ends: Sequence[Row]
    steps: Sequence[Row]
    events: Sequence[Row]
    keys: Sequence[Row]
    released: Sequence[str]


def take(queue: deque[Pending]) -> list[Pending]:
    """Take the next batch off the queue, in order.

    A run is in it once, or with its start and its end. Whatever else is to happen to it goes into
    a later batch, so that a guard sees what came before.
    """
    batch: list[Pending] = []
    latest: dict[str, Change] = {}
    room = BYTES
    while queue and len(batch) < CHANGES and room > 0:
        change = queue[0].change
        run_id = change.run_id
        if run_id is not None:
            if run_id in latest and not is_whole(latest[run_id], change):
                break
            latest[run_id] = change
        room -= queue[0].weight
        batch.append(queue.popleft())
    return batch


def is_whole(start: Change, end: Change) -> bool:
    """Whether the two are one run from start to end, with no guard between them."""
    return start.run is not None and start.key is None and end.end is not None


def gathered(changes: Sequence[Change]) -> Batch:
    """All rows of a batch; a run that starts and ends in it becomes one row.

    Rows that other processes may want to lock too are in one order everywhere: no two batches then
    wait for each other.
    """
    runs = {change.run["id"]: change.run for change in changes if change.run}
    ends = []
    for change in changes:
        if end := change.end:
            if run := runs.get(end["id"]):
                runs[end["id"]] = run | end
            else:
                ends.append(end)
    return Batch(
        runs=list(runs.values()),
        ends=sorted(ends, key=itemgetter("id")),
        steps=[row for change in changes for row in change.steps],
        events=[row for change in changes for row in change.events],
        keys=sorted((change.key for change in changes if change.key), key=itemgetter(*ONE_KEY)),
        released=[str(change.run_id) for change in changes if change.release],
    )
