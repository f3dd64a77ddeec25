"""Walls are raised where they do not stand, and who raises them gets in nobody's way."""

import os

import psycopg
import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.db import OperationalError, connection

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.storage.patience import Busy, patiently
from agentxsuite.control.storage.roles import as_owner
from agentxsuite.control.storage.standing import is_secured, policies_of, privileges
from agentxsuite.control.storage.walls import raise_walls

pytestmark = [pytest.mark.database(only="postgres"), pytest.mark.django_db(transaction=True)]
TABLE = AuditEvent._meta.db_table
LOCKED = """
SELECT relation::regclass::text FROM pg_locks JOIN pg_class ON pg_class.oid = relation
WHERE relkind IN ('r', 'p') AND (NOT granted OR mode IN ('AccessExclusiveLock', 'ExclusiveLock'))
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
HARM = [
    f"DROP POLICY own_rows ON {TABLE}",
    f"ALTER POLICY own_rows ON {TABLE} USING (true)",
    f"ALTER POLICY record ON {TABLE} TO PUBLIC",
    f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY",
    f"GRANT DELETE ON {TABLE} TO {{app}}",
    f"GRANT SELECT (event_data) ON {TABLE} TO {{ledger}}",
    f"GRANT SELECT ON {TABLE} TO PUBLIC",
    f"REVOKE INSERT ON {TABLE} FROM {{ledger}}",
]


@pytest.fixture
def reader(reader_of):
    """Somebody who reads the audit, slowly."""
    with reader_of(AuditEvent) as database:
        yield database


@pytest.fixture
def locked():
    """The tables that somebody wants or has for himself, as told after every statement."""
    found = set()

    def look(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        rows = watching.execute(LOCKED).fetchall()
        found.update(name for (name,) in rows)
        return result

    name = connection.settings_dict["NAME"]
    admin = psycopg.connect(os.environ["TEST_ADMIN_URL"], dbname=name, autocommit=True)
    with admin as watching, connection.execute_wrapper(look):
        yield found


def names():
    login = configured.DATABASES["default"], configured.DATABASE_ROLES["ledger"]
    return [role["USER"] for role in login]


def raise_again():
    app, ledger = names()
    with as_owner():
        raise_walls(app, ledger)


def stands():
    return is_secured(TABLE), policies_of(TABLE), privileges(TABLE)


def harm(statement):
    app, ledger = names()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(statement.format(app=app, ledger=ledger))


def test_a_migration_that_changes_nothing_stops_nobody(reader, locked):
    """A long report makes the next deployment stop every call."""
    call_command("migrate", verbosity=0)
    assert locked == set()


@pytest.mark.parametrize("statement", HARM)
def test_what_was_changed_by_hand_is_put_right(statement):
    """A wall that somebody has opened stays open, because it has its old name."""
    raise_again()
    before = stands()
    harm(statement)
    assert stands() != before
    raise_again()
    assert stands() == before


def test_a_table_in_use_is_left_as_it_is_and_named(reader_of, at_once):
    """Whoever migrates waits without end, all calls behind him, and is not told for what."""
    raise_again()
    harm(HARM[0])
    with reader_of(AuditEvent), pytest.raises(Busy, match=f"{TABLE} was in use at each of"):
        raise_again()
    assert "own_rows" not in policies_of(TABLE)
    raise_again()
    assert "own_rows" in policies_of(TABLE)


def test_a_reader_who_leaves_in_time_costs_a_try(reader, at_once):
    """One short query at the wrong moment fails a deployment."""
    tries = []

    def take():
        tries.append(1)
        if len(tries) > 1:
            reader.rollback()
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
        return "taken"

    with as_owner():
        assert patiently(TABLE, take) == "taken"
    assert len(tries) == 2


def test_another_fault_is_not_tried_again():
    """A database that is away is reported as a slow reader, ten tries later."""
    tries = []

    def fail():
        tries.append(1)
        raise OperationalError("away")

    with pytest.raises(OperationalError, match="away"):
        patiently(TABLE, fail)
    assert len(tries) == 1
