"""Ledgers whose database is gone: refused, told, and well again when it is back."""

from contextlib import aclosing

import pytest

from agentxsuite.gateway import rows
from agentxsuite.gateway.ledger import GroupCommit, PostgresWriter, SqliteWriter
from agentxsuite.gateway.refusals import Unavailable
from tests.unit.gateway.building import NOON, entry


@pytest.mark.parametrize(
    "writer",
    [
        lambda: SqliteWriter("/nowhere/at/all.sqlite3"),
        lambda: PostgresWriter("host=/nowhere dbname=none connect_timeout=2"),
    ],
)
async def test_what_cannot_be_recorded_is_not_run(writer):
    """Calls would run without a trace while the database is down."""
    async with aclosing(GroupCommit(writer())) as ledger:
        with pytest.raises(Unavailable) as refused:
            await ledger.commit(rows.started(entry(started=NOON)))
    assert refused.value.status == 503
