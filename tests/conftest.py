"""Fixtures that tests of every room share."""

from pathlib import Path

import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.db import connections

pytest_plugins = ["tests.cast", "tests.servers.redis"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings():
    """SQLite's test database is a file, as in real life: with a log, locks and many connections."""
    default = settings.DATABASES["default"]
    if settings.EMBEDDED:
        default["TEST"] = {
            **default.get("TEST", {}),
            "NAME": Path(settings.DATA_DIR) / "test.sqlite3",
        }


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    """The thread in which asynchronous tests use the database lets go of it in time."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
