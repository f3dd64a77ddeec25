"""Whether a process without the data plane can work: it needs the database."""

import asyncio

from django.db import Error, connection

from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.gateway.refusals import Unavailable

PATIENCE = 3.0  # seconds for the database's answer


async def check_database() -> None:
    """Raise Unavailable unless the database answers in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            await in_thread(ask)
    except (Error, TimeoutError):
        sentence = "The database does not answer; nothing can be managed until it does."
        raise Unavailable("database_unavailable", sentence) from None


def ask() -> None:
    """Ask for a sign of life; raises Error."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
