"""One connection to PostgreSQL, and what its failures mean."""

from contextlib import aclosing

import psycopg
import pytest

from agentxsuite.control.storage.roles import conninfo
from agentxsuite.gateway.ledger.database import Away, WriteFailed
from agentxsuite.gateway.ledger.line import Line, cut

pytestmark = [pytest.mark.database(only="postgres"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
async def line():
    async with aclosing(Line(conninfo("ledger"))) as opened:
        yield opened


def failing(state):
    return f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$"


@pytest.mark.parametrize("state", ["40P01", "40001", "23505", "22P02"])
async def test_a_refused_statement_leaves_the_line_open(line, state):
    """Two writers that meet would look like a database that is gone."""
    with pytest.raises(WriteFailed) as failed:
        await line.execute(failing(state), ())
    assert not isinstance(failed.value, Away)
    assert list(await line.execute("SELECT 1", ())) == [(1,)]


@pytest.mark.parametrize("state", ["57P01", "57014", "53100", "25006"])
async def test_a_database_that_cannot_write_now_is_away(line, state):
    """The end of a run would be given up while the database restarts or its disk is full."""
    with pytest.raises(Away):
        await line.execute(failing(state), ())
    assert list(await line.execute("SELECT 1", ())) == [(1,)]


async def test_a_line_that_is_gone_already_can_be_cut():
    """A timer that comes too late would disturb the server."""
    connection = await psycopg.AsyncConnection.connect(conninfo("ledger"))
    await connection.close()
    cut(connection)
