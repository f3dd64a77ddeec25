"""What the database holds, as a digest for each table: so a test knows that nothing changed."""

# ruff: noqa: S608 - the names of tables are our own

import hashlib
from functools import cache

from django.conf import settings
from django.db import connection

from agentxsuite.control.storage.walls import all_models, owner_column

Digests = dict[str, str]

WHOLE = "md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"


@cache
def tables() -> dict[str, str | None]:
    """Every table and the column that says whose a row is, if there is one."""
    return {model._meta.db_table: owner_column(model) for model in all_models()}


def digests(of: str | None = None) -> Digests:
    """Return a digest of each table's rows, or, given its id, of one organization's rows."""
    asked = {
        table: f" WHERE {column} = '{as_stored(of)}'" if of else ""
        for table, column in tables().items()
        if column or not of
    }
    return (of_sqlite if settings.EMBEDDED else of_postgres)(asked)


def changed(before: Digests, after: Digests) -> set[str]:
    """Return the tables that differ."""
    return {table for table in before if before[table] != after[table]}


def as_stored(identifier: str) -> str:
    """An id as the database has it."""
    return identifier.replace("-", "") if settings.EMBEDDED else identifier


def of_sqlite(asked: dict[str, str]) -> Digests:
    found = {}
    with connection.cursor() as cursor:
        for table, where in asked.items():
            cursor.execute(f"SELECT * FROM {table}{where}")
            rows = sorted(map(repr, cursor.fetchall()))
            found[table] = hashlib.md5("|".join(rows).encode(), usedforsecurity=False).hexdigest()
    return found


def of_postgres(asked: dict[str, str]) -> Digests:
    each = [f"SELECT '{table}', {WHOLE} FROM {table} t{where}" for table, where in asked.items()]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return dict(cursor.fetchall())
