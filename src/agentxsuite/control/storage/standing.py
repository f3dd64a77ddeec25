"""What already stands around a table on PostgreSQL; what is as it must be is left alone.

To make a policy anew locks its table against everybody, readers too.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final, NamedTuple

from django.db import connection

PRIVILEGES: Final = """
SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END,
  privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, name
FROM (SELECT relacl AS acl, '' AS name FROM pg_class WHERE oid = %(table)s::regclass
  UNION ALL SELECT attacl, attname FROM pg_attribute WHERE attrelid = %(table)s::regclass
) AS given, aclexplode(acl)"""
SECURED: Final = "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass"
# As the database tells it back, which is not how it was told.
POLICIES: Final = """
SELECT polname, obj_description(oid, 'pg_policy'), ROW(polpermissive, polcmd, polroles::regrole[],
  pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))::text
FROM pg_policy WHERE polrelid = %s::regclass"""
WORDS: Final = re.compile(r"(\w+)(?: \(([^)]+)\))?")  # SELECT, or UPDATE (this, that)


class Privilege(NamedTuple):
    """What a role may do to a table, or to one column of it."""

    role: str
    what: str
    column: str = ""


class Policy(NamedTuple):
    """A policy in the database: the mark that its maker left, and its meaning today."""

    mark: str | None
    meaning: str


def privileges(table: str) -> set[Privilege]:
    """Return who may do what to a table or its columns; `table` is quoted here and below."""
    with connection.cursor() as cursor:
        cursor.execute(PRIVILEGES, {"table": table})
        return {Privilege(*row) for row in cursor.fetchall()}


def privileges_in(grants: Mapping[str, str]) -> set[Privilege]:
    """Return what these grants would make, by role in GRANT's words."""
    return {
        Privilege(role, what, column)
        for role, words in grants.items()
        for what, columns in WORDS.findall(words)
        for column in columns.split(", ")
    }


def is_secured(table: str) -> bool:
    """Whether row-level security is on."""
    with connection.cursor() as cursor:
        cursor.execute(SECURED, [table])
        return bool(cursor.fetchone()[0])


def policies_of(table: str) -> dict[str, Policy]:
    """Return a table's policies by name."""
    with connection.cursor() as cursor:
        cursor.execute(POLICIES, [table])
        return {name: Policy(mark, meaning) for name, mark, meaning in cursor.fetchall()}


def mark(clauses: str, meaning: str) -> str:
    """Return what is written on a policy when it is made; it tells any change of either."""
    return f"as made: {sha256(f'{clauses} {meaning}'.encode()).hexdigest()}"
