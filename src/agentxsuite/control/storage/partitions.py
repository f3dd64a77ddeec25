"""Tables of evidence in monthly partitions on PostgreSQL, cut by UUIDv7; plain tables on SQLite.

A UUIDv7 (RFC 9562, section 5.7) begins with the milliseconds of its birth, so a range of ids is a
range of time and the id stays the primary key. Partitions are made ahead; there is no default one,
which would have to be searched whenever one is added.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

READY = False


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
        if editor.connection.vendor == "postgresql" and READY:
            whole.sql_create_table = f"{plain} PARTITION BY RANGE (id)"
        try:
            super().database_forwards(app_label, editor, before, after)
        finally:
            whole.sql_create_table = plain
