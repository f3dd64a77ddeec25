"""A process that makes calls and keeps their record, until it is killed.

It says of each change, once it is acknowledged: `s` or `e` for the start or end, and the run's id.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from itertools import count, cycle
from typing import NoReturn

from msgspec import structs

from agentxsuite.gateway import rows
from agentxsuite.gateway.call import Entry
from agentxsuite.gateway.ledger import GroupCommit
from agentxsuite.gateway.ledger.database import Database
from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.rows import Change
from tests.conformance.ledger.changes import begun, ending, keyed, releasing
from tests.faults.children import die_with_parent

CALLERS = 8
KINDS = ("plain", "keyed", "freed", "quick")  # quick: started and ended at once
PAUSE = 0.02  # seconds a caller waits who was told to come back


def write_until_killed(database: Callable[[], Database], said: int) -> NoReturn:
    """What the forked process does; it never returns."""
    try:
        die_with_parent()
        logging.disable()
        asyncio.run(_call_and_call(database(), said))
    finally:
        os._exit(1)


async def _call_and_call(database: Database, said: int) -> None:
    numbers = count()
    async with aclosing(GroupCommit(database)) as ledger:
        await asyncio.gather(*(_caller(ledger, said, numbers) for _ in range(CALLERS)))


async def _caller(ledger: GroupCommit, said: int, numbers: Iterator[int]) -> None:
    for kind in cycle(KINDS):
        known = begun()
        key = f"{os.getpid()}-{next(numbers)}"
        try:
            async for word in _written(ledger, kind, known, key):
                os.write(said, f"{word} {known.run_id}\n".encode())
        except Unavailable:
            await asyncio.sleep(PAUSE)


async def _written(ledger: GroupCommit, kind: str, known: Entry, key: str) -> AsyncIterator[str]:
    """Make one call; yields what is acknowledged, when it is."""
    start, end = _changes(kind, known, key)
    begin = ledger.commit(start)
    if kind == "quick":
        finish = ledger.commit(end)
        await asyncio.gather(begin, finish)
        yield "s"
    else:
        await begin
        yield "s"
        await ledger.commit(end)
    yield "e"


def _changes(kind: str, known: Entry, key: str) -> tuple[Change, Change]:
    start = keyed(known, key) if kind in {"keyed", "freed"} else rows.started(known)
    assert start.run, "it starts a run"
    end = ending(known)
    marked = structs.replace(start, run=start.run | {"door": kind})
    return marked, releasing(end) if kind == "freed" else end
