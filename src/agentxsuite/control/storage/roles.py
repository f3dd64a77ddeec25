"""The three roles of a PostgreSQL installation, and the refusal to run as anybody stronger.

`owner` migrates and drops old partitions. `app`, the one of DATABASE_URL, sees the rows of the
organizations that its transaction lists. `ledger` writes the record of calls for all of them and
reads no payload. SQLite knows no roles.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from psycopg.conninfo import make_conninfo

LOGIN = ("HOST", "PORT", "USER", "PASSWORD", "OPTIONS")
UNBOUND = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
CONNECT_SECONDS = 5
STRENGTH = """
SELECT rolname, rolsuper, rolbypassrls,
  EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('tenancy_organization')
    AND pg_has_role(current_user, relowner, 'MEMBER')),
  EXISTS (SELECT FROM pg_roles AS other WHERE (other.rolsuper OR other.rolbypassrls)
    AND pg_has_role(current_user, other.oid, 'MEMBER')),
  coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
FROM pg_roles WHERE rolname = current_user
"""
STRONG = (
    "is a superuser",
    "has BYPASSRLS",
    "owns the tables",
    "is a member of a role that is a superuser or has BYPASSRLS",
    "may create tables and functions in the schema",
)


def conninfo(role: str = "app") -> str:
    """Return the database's address for `app` or `ledger`, in libpq's form."""
    login = login_of(role)
    known: dict[str, object] = {
        "host": login.get("HOST"),
        "port": login.get("PORT"),
        "user": login.get("USER"),
        "password": login.get("PASSWORD"),
        "dbname": settings.DATABASES["default"]["NAME"],
    }
    known |= {name: value for name, value in login.get("OPTIONS", {}).items() if name != "pool"}
    return make_conninfo("", **{name: str(value) for name, value in known.items() if value})


@contextmanager
def as_owner() -> Iterator[None]:
    """Let Django's connection be the owner's for the time of a migration, however long it takes.

    Raises ImproperlyConfigured without DATABASE_OWNER_URL. On SQLite there is only one.
    """
    if settings.EMBEDDED:
        yield
        return
    owner = login_of("owner")
    before = {name: connection.settings_dict[name] for name in LOGIN}
    options = before["OPTIONS"]
    unbound = f"{options.get('options', '')} {UNBOUND}"
    _log_in({**owner, "OPTIONS": {**options, "options": unbound}})
    try:
        yield
    finally:
        _log_in(before)


def check_roles() -> None:
    """Raise ImproperlyConfigured when a role is one that no row-level security restrains."""
    if settings.EMBEDDED:
        return
    names = {role: _checked(role) for role in ("app", "ledger")}
    if names["app"] == names["ledger"]:
        raise _refusal("DATABASE_LEDGER_URL must name another role than DATABASE_URL.")


def login_of(role: str) -> dict[str, Any]:
    """Return how a role logs in, in Django's words; raises ImproperlyConfigured."""
    if role == "app":
        return settings.DATABASES["default"]
    login = settings.DATABASE_ROLES[role]
    if login is None:
        raise _refusal(f"DATABASE_{role.upper()}_URL must be set for this (docs/storage.md).")
    return login


def _log_in(login: dict[str, Any]) -> None:
    connection.close()
    connection.settings_dict.update({name: login[name] for name in LOGIN})


def _checked(role: str) -> str:
    """The role's name in the database, if it is weak enough."""
    variable = "DATABASE_URL" if role == "app" else "DATABASE_LEDGER_URL"
    try:
        with psycopg.connect(conninfo(role), connect_timeout=CONNECT_SECONDS) as database:
            found = database.execute(STRENGTH).fetchone()
    except psycopg.OperationalError as error:
        raise _refusal(f"{variable} cannot be reached: {str(error).splitlines()[0]}") from None
    name, *strengths = found or ("", *(True for _ in STRONG))
    for strong, what in zip(strengths, STRONG, strict=True):
        if strong:
            sentence = f"{variable}'s role {name} {what}, so nothing would keep tenants apart"
            raise _refusal(f"{sentence}; give it a role of its own (docs/storage.md).")
    return str(name)


def _refusal(problem: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"AgentxSuite cannot start: {problem}")
