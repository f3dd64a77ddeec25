"""Tables of evidence in monthly partitions on PostgreSQL, cut by UUIDv7; plain tables on SQLite.

A UUIDv7 (RFC 9562, section 5.7) begins with the milliseconds of its birth, so a range of ids is a
range of time and the id stays the primary key. Partitions are made ahead; there is no default one,
which would have to be searched whenever one is added.
"""

from typing import Any, Final

from django.db import connection, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

MONTHS_AHEAD: Final = 3
# It runs as the owner: the role `app` may have a month added, and nothing else of the kind. Whoever
# reads the parent for long delays that; then it gives up and is tried again hours later.
ADD_PARTITIONS: Final = """
CREATE OR REPLACE FUNCTION agentxsuite_add_partitions(ahead integer) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '2s' AS $$
DECLARE
  parent text;
  name text;
  starts timestamp;
  made text[] := ARRAY[]::text[];
BEGIN
  IF ahead NOT BETWEEN 0 AND 24 THEN
    RAISE EXCEPTION 'from 0 to 24 months can be added, not %', ahead;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('agentxsuite_add_partitions'));
  FOREACH parent IN ARRAY ARRAY['runs_run', 'runs_runstep', 'audit_auditevent'] LOOP
    CONTINUE WHEN to_regclass(parent) IS NULL;  -- migrated back
    FOR month IN 0..ahead LOOP
      starts := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => month);
      name := parent || to_char(starts, '"_y"YYYY"m"MM');
      IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', name, parent,
          agentxsuite_first_id(starts), agentxsuite_first_id(starts + interval '1 month'));
        made := made || name;
      END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END $$"""
FIRST_ID: Final = """
CREATE OR REPLACE FUNCTION agentxsuite_first_id(moment timestamp) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))
    ::uuid $$"""


def add_partitions(ahead: int = MONTHS_AHEAD) -> list[str]:
    """Make the partitions of this month and the next ones that are missing; returns their names."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT agentxsuite_add_partitions(%s)", [ahead])
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
