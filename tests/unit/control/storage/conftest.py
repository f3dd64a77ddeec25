"""Somebody who reads for a long time, and somebody who waits for him for a short one."""

from contextlib import contextmanager

import psycopg
import pytest

from agentxsuite.control.storage import patience
from agentxsuite.control.storage.roles import conninfo


@pytest.fixture
def at_once(monkeypatch):
    """Few tries, and no rest between two of them."""
    monkeypatch.setattr(patience, "PAUSE", 0)
    monkeypatch.setattr(patience, "TRIES", 3)


@pytest.fixture
def reader_of():
    """Call it to hold a model's table as a long query does; yields the connection."""

    @contextmanager
    def reader_of(model):
        with psycopg.connect(conninfo("app")) as database:
            database.execute(f"SELECT FROM {model._meta.db_table} LIMIT 1")
            yield database

    return reader_of
