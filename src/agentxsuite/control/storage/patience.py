"""How to need a whole table for a moment without stopping everybody else behind a slow reader.

Whoever waits for such a lock holds up all who come after it, calls too. So nobody waits for long:
it steps back, lets them through, and tries again.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

LOCK_TIMEOUT: Final = "500ms"  # well within the ledger's patience for one batch
TRIES: Final = 10
PAUSE = 1.0  # seconds between two tries

Result = TypeVar("Result")


class Busy(OperationalError):
    """A table was in use at every try; nothing was changed."""


def patiently(table: str, work: Callable[[], Result]) -> Result:
    """Run work on a table in one transaction, on PostgreSQL, as often as needed; raises Busy."""
    for _ in range(TRIES - 1):
        try:
            return _once(work)
        except OperationalError as error:
            _only_busy(error)
        time.sleep(PAUSE)
    try:
        return _once(work)
    except OperationalError as error:
        _only_busy(error)
        sentence = f"{table} was in use at each of {TRIES} tries, so it is as it was"
        raise Busy(f"{sentence}; wait for long queries to end and try again") from None


def _once(work: Callable[[], Result]) -> Result:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        return work()


def _only_busy(error: OperationalError) -> None:
    if not isinstance(error.__cause__, LockNotAvailable):
        raise error
