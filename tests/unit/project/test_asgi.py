"""What the server does beside answering, and how much it takes from the database for answering."""

import asyncio
import os

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection
from psycopg.conninfo import make_conninfo

from agentxsuite.control.storage.roles import conninfo
from agentxsuite.project.asgi import Application, look_at_partitions
from agentxsuite.project.places import MOST

CROWD, LOOKS = 100, 100
TOKEN = b"Bearer " + b"0" * 64  # in the form of one, so that it is looked up
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'"


@pytest.mark.parametrize("error", [InterfaceError, OperationalError])
async def test_a_look_at_the_months_that_fails_is_repeated_soon(error, caplog):
    """One lost connection ends the making of months, and months later every call is refused."""

    def add():
        raise error("the connection is closed")

    assert await look_at_partitions(add) <= 600
    assert "no partition could be added" in caplog.text


async def test_a_look_that_found_everything_is_repeated_within_the_day():
    """A server that runs for a year comes to the end of its months."""
    assert 3600 <= await look_at_partitions(lambda: ["runs_run_y2030m01"]) <= 86400


@pytest.fixture
def address():
    """The database's, for one who may do everything."""
    name = connection.settings_dict["NAME"]
    return make_conninfo(os.environ["TEST_ADMIN_URL"], dbname=name)


@pytest.fixture
def held(address):
    """Nobody reads login tokens until this is rolled back."""
    with psycopg.connect(address) as admin:
        admin.execute("LOCK TABLE knox_authtoken IN ACCESS EXCLUSIVE MODE")
        yield admin


class Stranger:
    """Asks the management plane for something, with a token that he made up."""

    def __init__(self, application, arrived):
        self.said, self.arrived, self.told = asyncio.Queue(), arrived, []
        self.said.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        headers = [(b"host", b"localhost"), (b"authorization", TOKEN)]
        scope = {"type": "http", "method": "GET", "path": "/api/v1/orgs/", "headers": headers}
        scope |= {"query_string": b"", "scheme": "http", "client": ("127.0.0.1", 1)}
        self.task = asyncio.create_task(application(scope, self.ask, self.hear))

    async def ask(self):
        self.arrived.put_nowait(None)
        return await self.said.get()

    async def hear(self, message):
        self.told.append(message)

    @property
    async def status(self):
        await self.task
        return self.told[0]["status"]


async def most_at_once(address):
    """Look until as many connections wait as may, and long after; the most that were seen."""
    most, looks = 0, 0
    with psycopg.connect(address, autocommit=True) as admin:
        while looks < LOOKS:
            await asyncio.sleep(0)  # the server is on this loop too
            (now,) = admin.execute(BUSY, [connection.settings_dict["USER"]]).fetchone()
            most, looks = max(most, now), looks + (now >= MOST)
    return most


@pytest.mark.database(only="postgres")
@pytest.mark.django_db(transaction=True)
async def test_a_crowd_of_strangers_leaves_the_database_to_others(address, held):
    """Anybody, without a credential, takes every connection, and all calls stop."""
    application, arrived = Application("control"), asyncio.Queue()
    strangers = [Stranger(application, arrived) for _ in range(CROWD)]
    for _ in strangers:
        await arrived.get()
    async with asyncio.timeout(60):
        assert await most_at_once(address) == MOST
    with psycopg.connect(conninfo("app")) as other:
        assert other.execute("SELECT 1").fetchone() == (1,)
    held.rollback()
    told = [await stranger.status for stranger in strangers]
    assert set(told) <= {401, 503}  # on a slow machine some have waited for too long
    assert told.count(401) >= MOST
