"""Fixtures that tests of every room share."""

from pathlib import Path

import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.db import connections

pytest_plugins = ["tests.cast", "tests.servers.redis", "tests.witness", "tests.old"]


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
def django_db_keepdb():
    """PostgreSQL's test database is made by one who may: the role `app` cannot."""
    return not settings.EMBEDDED


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, witness):
    """The thread in which asynchronous tests use the database lets go of it in time."""
    with django_db_blocker.unblock():
        witness.prepare()
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
