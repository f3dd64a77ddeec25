"""`migrate`, as the owner on PostgreSQL, and then whatever stands around the tables."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connection

from agentxsuite.control.storage.partitions import add_partitions
from agentxsuite.control.storage.roles import as_owner, login_of
from agentxsuite.control.storage.walls import raise_walls


class Command(migrate.Command):
    """Brings tables, partitions, grants and policies to what this version needs."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; walls are raised anew each time, so that none stays behind the models."""
        app = connection.settings_dict["USER"]
        with as_owner():
            super().handle(*args, **options)
            if connection.vendor == "postgresql":
                raise_walls(app, login_of("ledger")["USER"])
                add_partitions()
