"""The ledger of the database in use, and ways to take that database away."""

import sqlite3
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from agentxsuite.control.tenancy.models import Organization
from agentxsuite.gateway.asgi import open_ledger
from agentxsuite.gateway.ledger import GroupCommit, PostgresWriter, SqliteWriter
from tests.conformance.ledger.changes import FOREIGN
from tests.conformance.ledger.relay import opened_relay
from tests.unit.gateway.building import ORGANIZATION


@pytest.fixture
async def tenant(transactional_db):
    """Whose rows the tests write and look at."""
    for known in (ORGANIZATION, FOREIGN):
        await sync_to_async(Organization.objects.create)(id=known, name=known)


@pytest.fixture
async def ledger(tenant):
    async with aclosing(open_ledger()) as opened:
        yield opened


class Occupied:
    """SQLite while another process writes and writes."""

    def __init__(self, path):
        self._other = sqlite3.connect(path, isolation_level=None)

    def away(self):
        self._other.execute("BEGIN IMMEDIATE")

    def back(self):
        self._other.rollback()

    async def aclose(self):
        self._other.close()

    def writer(self):
        return SqliteWriter(str(settings.DATABASES["default"]["NAME"]), busy_seconds=0.02)


class Severed:
    """PostgreSQL while nothing reaches it."""

    def __init__(self, relay):
        self._relay = relay

    def away(self):
        self._relay.refuse()

    def back(self):
        self._relay.accept()

    async def aclose(self):
        await self._relay.aclose()

    def writer(self):
        return PostgresWriter(self._relay.conninfo)


@pytest.fixture
async def relay(tmp_path):
    """What stands between the ledger and PostgreSQL."""
    async with aclosing(await opened_relay(tmp_path)) as opened:
        yield opened


@pytest.fixture
async def shaky(tenant, tmp_path):
    """A database that can go ``away`` and come ``back``, and makes writers for itself."""
    path = Path(settings.DATABASES["default"]["NAME"])
    made = Occupied(path) if settings.EMBEDDED else Severed(await opened_relay(tmp_path))
    async with aclosing(made):
        yield made


@pytest.fixture
def opened():
    """Opens a ledger over a writer: within a block it can be used."""

    @asynccontextmanager
    async def open_over(writer, **bounds):
        async with aclosing(GroupCommit(writer, **bounds)) as ledger:
            yield ledger

    return open_over
