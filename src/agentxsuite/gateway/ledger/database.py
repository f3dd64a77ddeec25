"""What either database is to the ledger."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from agentxsuite.gateway.ledger.batch import Batch

Value = str | int | float | UUID
Found = Sequence[tuple[Any, ...]]


class WriteFailed(Exception):
    """The database refused a statement; nothing of it is written."""


class Away(WriteFailed):
    """The database is gone, full or hung; what became of the statement may be unknown."""


class Words(Struct, frozen=True):
    """What the databases spell differently.

    ``ago``: the moment so many seconds ago; ``due``: when a run is overdue by so many seconds.
    """

    mark: str
    now: str
    ago: str
    due: str


class Database(Protocol):
    """Writes batches, and answers questions about leases; raises Away or WriteFailed."""

    words: Words

    async def write(self, batch: Batch) -> Collection[str]:
        """Write a batch in one transaction, durable when it returns.

        Returns the runs whose guard did not hold: nothing about them is written. An end that is on
        record exactly so was written by an earlier try, and is not among them.
        """
        ...

    async def run(self, statement: str, parameters: Sequence[Value]) -> Found:
        """Run one statement that returns rows, in a transaction of its own."""
        ...

    async def aclose(self) -> None:
        """Let go of the database."""
        ...
