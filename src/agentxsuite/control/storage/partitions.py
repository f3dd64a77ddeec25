"""Tables of evidence in monthly partitions on PostgreSQL, cut by UUIDv7; plain tables on SQLite.

A UUIDv7 (RFC 9562, section 5.7) begins with the milliseconds of its birth, so a range of ids is a
range of time and the id stays the primary key. Partitions are made ahead; there is no default one,
which would have to be searched whenever one is added.
"""

from functools import partial
from typing import Any, Final

from django.db import connection, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

from agentxsuite.control.storage.patience import LOCK_TIMEOUT, patiently

MONTHS_AHEAD: Final = 3
PARENTS: Final = ("runs_run", "runs_runstep", "audit_auditevent")
# It runs as the owner: the role `app` may have a month added, and nothing else of the kind. A call
# makes the months of one table, because all calls to tools wait while a table waits for its months.
ADD_PARTITIONS: Final = f"""
DROP FUNCTION IF EXISTS agentxsuite_add_partitions(integer);
CREATE OR REPLACE FUNCTION agentxsuite_add_partitions(parent text, ahead integer) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '{LOCK_TIMEOUT}' AS $$
DECLARE
  name text;
  starts timestamp;
  made text[] := ARRAY[]::text[];
BEGIN
  IF parent NOT IN {PARENTS} OR ahead NOT BETWEEN 0 AND 24 THEN
    RAISE EXCEPTION 'from 0 to 24 months can be added to evidence, not % to %', ahead, parent;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('agentxsuite_add_partitions'));
  FOR month IN 0..ahead LOOP
    starts := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => month);
    name := parent || to_char(starts, '"_y"YYYY"m"MM');
    IF to_regclass(parent) IS NOT NULL AND to_regclass(name) IS NULL THEN  -- not migrated back
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', name, parent,
        agentxsuite_first_id(starts), agentxsuite_first_id(starts + interval '1 month'));
      made := made || name;
    END IF;
  END LOOP;
  RETURN made;
END $$"""  # noqa: S608 - our own words
FIRST_ID: Final = """
CREATE OR REPLACE FUNCTION agentxsuite_first_id(moment timestamp) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))
    ::uuid $$"""


def add_partitions(ahead: int = MONTHS_AHEAD) -> list[str]:
    """Make the partitions of this month and the next ones that are missing; returns their names.

    Raises Busy, and then nothing was added to that table and those after it.
    """
    if connection.vendor != "postgresql":
        return []
    return [name for table in PARENTS for name in patiently(table, partial(_add_to, table, ahead))]


def _add_to(table: str, ahead: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT agentxsuite_add_partitions(%s, %s)", [table, ahead])
        return list(cursor.fetchone()[0])


class CreateEvidence(migrations.CreateModel):
    """Creates the table of an evidence model: on PostgreSQL partitioned by its id."""

    def database_forwards(
        self,
        app_label: str,
        editor: BaseDatabaseSchemaEditor,
        before: ProjectState,
        after: ProjectState,
    ) -> None:
        """Create the table with its indexes, and without a partition."""
        whole: Any = editor
        plain = whole.sql_create_table
        if editor.connection.vendor == "postgresql":
            whole.sql_create_table = f"{plain} PARTITION BY RANGE (id)"
        try:
            super().database_forwards(app_label, editor, before, after)
        finally:
            whole.sql_create_table = plain
