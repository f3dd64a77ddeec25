"""Nobody runs the program as somebody whom no wall holds."""

import os
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from psycopg.conninfo import make_conninfo

from agentxsuite.control.storage.roles import as_owner, check_roles, conninfo

pytestmark = [pytest.mark.database(only="postgres"), pytest.mark.django_db(transaction=True)]

NOINHERIT = "ALTER ROLE strong_one NOINHERIT"


@pytest.fixture
def strong(request):
    """A role with one right too many: an attribute, a membership, or a grant on the schema."""
    name, source = "strong_one", "strong_source"
    database = connection.settings_dict["NAME"]
    address = make_conninfo(os.environ["TEST_ADMIN_URL"], dbname=database)
    with psycopg.connect(address, autocommit=True) as admin:
        for role in (name, source):
            admin.execute(f"CREATE ROLE {role} LOGIN")
        for statement in request.param.split("; "):
            admin.execute(statement)
        yield name
        admin.execute(f"DROP OWNED BY {name}, {source}")
        admin.execute(f"DROP ROLE {name}, {source}")


def test_the_tests_themselves_are_held_by_the_walls():
    """Every test of a wall passes, because the tester walks through walls."""
    check_roles()


@pytest.mark.parametrize(
    "strong",
    [
        "ALTER ROLE strong_one SUPERUSER",
        "ALTER ROLE strong_one BYPASSRLS",
        "ALTER ROLE strong_source SUPERUSER; GRANT strong_source TO strong_one",
        "ALTER ROLE strong_source BYPASSRLS; GRANT strong_source TO strong_one",
        f"{NOINHERIT}; ALTER ROLE strong_source BYPASSRLS; GRANT strong_source TO strong_one",
        "GRANT CREATE ON SCHEMA public TO strong_one",
        "GRANT CREATE ON SCHEMA public TO strong_source; GRANT strong_source TO strong_one",
    ],
    indirect=True,
)
@pytest.mark.parametrize("role", ["app", "ledger"])
def test_a_role_that_no_wall_holds_is_refused(role, strong, monkeypatch):
    """An installation runs without its second wall, and nobody notices."""
    login = configured.DATABASES["default"] if role == "app" else configured.DATABASE_ROLES[role]
    monkeypatch.setitem(login, "USER", strong)
    with pytest.raises(
        ImproperlyConfigured, match=f"cannot start: .*{strong} (is|has|may) .*docs/sto"
    ):
        check_roles()


def test_the_owner_of_the_tables_is_refused(monkeypatch):
    """An owner can take the wall down, and row-level security does not hold it."""
    owner = configured.DATABASE_ROLES["owner"]["USER"]
    monkeypatch.setitem(configured.DATABASES["default"], "USER", owner)
    with pytest.raises(ImproperlyConfigured, match=f"{owner} owns the tables"):
        check_roles()


def test_one_role_for_both_is_refused(monkeypatch):
    """The data plane reads what the control plane may read."""
    monkeypatch.setitem(
        configured.DATABASE_ROLES["ledger"], "USER", configured.DATABASES["default"]["USER"]
    )
    with pytest.raises(ImproperlyConfigured, match="another role"):
        check_roles()


def test_a_database_that_is_not_there_is_told_in_one_line(monkeypatch):
    """An operator reads a stack trace to find a misspelt host name."""
    monkeypatch.setitem(configured.DATABASE_ROLES["ledger"], "HOST", "/nowhere")
    with pytest.raises(
        ImproperlyConfigured, match=r"DATABASE_LEDGER_URL cannot be reached"
    ) as told:
        check_roles()
    assert "\n" not in str(told.value)


def test_options_of_an_address_reach_every_connection(monkeypatch):
    """The data plane talks to the database without the encryption that was asked for."""
    monkeypatch.setitem(
        configured.DATABASE_ROLES["ledger"], "OPTIONS", {"sslmode": "require", "pool": True}
    )
    assert "sslmode=require" in conninfo("ledger")
    assert "pool" not in conninfo("ledger")


def test_a_migration_is_the_owners_and_only_that(monkeypatch):
    """The server keeps the rights of the migration that came before it."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (configured.DATABASE_ROLES["owner"]["USER"],)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (urlsplit(os.environ["DATABASE_URL"]).username,)
    monkeypatch.setitem(configured.DATABASE_ROLES, "owner", None)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_OWNER_URL must be set"), as_owner():
        pass


def test_a_request_is_bounded_and_a_migration_is_not():
    """A forgotten transaction holds its locks for ever, or a migration is cut off half-way."""
    assert bounds() == ["30s", "1min"]
    with as_owner():
        assert bounds() == ["0", "0"]
    assert bounds() == ["30s", "1min"]


def bounds():
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    with connection.cursor() as cursor:
        return [cursor.execute(f"SHOW {name}").fetchone()[0] for name in names]
