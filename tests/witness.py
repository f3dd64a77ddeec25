"""What a test itself sees of PostgreSQL: rows of all organizations made so far, as the role `app`.

Code under test sees what its scope lists. A test body stands outside of every scope and would see
nothing: before each of its statements its connection is told the organizations that this run knows.
Tables are emptied between tests by one who may, which `app` may not; and evidence that a test makes
up is written with the owner's rights, because `app` can only read it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection
from django.db.backends.signals import connection_created
from django.db.models.signals import pre_save
from psycopg.conninfo import make_conninfo

from agentxsuite.control.storage.roles import as_owner
from agentxsuite.control.tenancy.models import KeptAnswer, Organization
from agentxsuite.control.tenancy.scope import INSTALLATION, open_scope

TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
AND relkind IN ('r', 'p') AND NOT relispartition
AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')"""
TELL = "SELECT set_config('agentxsuite.organizations', %s, false)"
FORGE = """
CREATE OR REPLACE FUNCTION tests_forge(statement text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN EXECUTE statement; END $$"""


@contextmanager
def forging() -> Iterator[None]:
    """Write rows of evidence that no call has left."""

    def by_the_owner(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if not sql.startswith(("INSERT", "UPDATE", "DELETE")):
            return execute(sql, params, many, context)
        whole = psycopg.ClientCursor(context["connection"].connection).mogrify(sql, params)
        return execute("SELECT tests_forge(%s)", [whole], False, context)  # noqa: FBT003 - Django's own

    with connection.execute_wrapper(by_the_owner if not settings.EMBEDDED else _unchanged):
        yield


def _unchanged(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
    return execute(sql, params, many, context)


def emptied(_command: flush.Command, **_options: Any) -> None:
    """What `flush` does here: between tests all tables are emptied, whatever guards them.

    By deletion: the tables are small, and to truncate them all takes a tenth of a second.
    """
    with psycopg.connect(conninfo_of_tests(), autocommit=True) as admin:
        tables = [row[0] for row in admin.execute(TABLES)]
        deletions = "".join(f"DELETE FROM {table};" for table in tables)  # noqa: S608 - our own
        admin.execute(f"SET session_replication_role = replica; {deletions}".encode())


def conninfo_of_tests() -> str:
    """Where the tests' tables are, for one who may do everything."""
    name = connection.settings_dict["NAME"]
    return make_conninfo(os.environ["TEST_ADMIN_URL"], dbname=name)


class Witness:
    """The organizations of this run, and what each connection has been told of them."""

    def __init__(self) -> None:
        self.organizations = [INSTALLATION]
        self.tests = 0

    def prepare(self) -> None:
        """Begin to watch PostgreSQL; SQLite hides nothing."""
        if settings.EMBEDDED:
            return
        app = connection.settings_dict["USER"]
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(FORGE)
            cursor.execute(f"GRANT EXECUTE ON FUNCTION tests_forge TO {app}")
            cursor.execute("REVOKE ALL ON FUNCTION tests_forge FROM PUBLIC")
        connection.close()
        pre_save.connect(self.note, sender=Organization)
        pre_save.connect(self.note_holder, sender=KeptAnswer)
        connection_created.connect(self.attach)
        flush.Command.handle = emptied

    def note(self, instance: Organization, **_: object) -> None:
        """Remember an organization that is being stored."""
        self.organizations.append(str(instance.id))

    def note_holder(self, instance: KeptAnswer, **_: object) -> None:
        """Remember whose keys there are, which is a wall, too."""
        self.organizations.append(str(instance.holder))

    def attach(self, connection: Any, **_: object) -> None:
        """Watch a new connection."""
        wrappers = connection.execute_wrappers
        wrappers[:] = [Telling(self), *(each for each in wrappers if not isinstance(each, Telling))]


class Telling:
    """Tells one connection, before a statement of a test body, what has been made meanwhile."""

    def __init__(self, witness: Witness) -> None:
        self.witness, self.told = witness, (0, 0)

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any
    ) -> Any:
        if sql.startswith("ROLLBACK"):  # takes back what was told meanwhile
            self.told = (0, 0)
        elif open_scope() is None:
            self.tell(context["connection"].connection)
        return execute(sql, params, many, context)

    def tell(self, database: Any) -> None:
        """Set the list, if it is not what it should be."""
        now = (self.witness.tests, len(self.witness.organizations))
        if now != self.told:
            with database.cursor() as cursor:
                cursor.execute(TELL, [",".join(self.witness.organizations)])
            self.told = now


@pytest.fixture(autouse=True)
def _another_test(witness):
    """The end of a test takes back what was told within it."""
    witness.tests += 1


@pytest.fixture(scope="session")
def witness():
    """The one witness of this run."""
    return Witness()
