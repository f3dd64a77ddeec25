"""The first start of the embedded default: there is no database yet, so one is made."""

import logging
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

told = logging.getLogger(__name__)


def on_new_database() -> None:
    """Bring a database that does not exist, or is empty, to its shape; leave any other alone.

    Changing one that holds something is for `agentxsuite migrate`, after a copy was made.
    """
    if not settings.EMBEDDED or connection.introspection.table_names():
        return
    told.warning("making a new database: %s", Path(settings.DATABASES["default"]["NAME"]).resolve())
    call_command("migrate", interactive=False, verbosity=0)
    connection.close()
