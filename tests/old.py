"""Evidence of long ago, and on PostgreSQL the partitions in which it stands."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run, RunStep
from agentxsuite.control.storage.roles import as_owner
from agentxsuite.control.tenancy.evidence import first_id
from tests.witness import forging

OLD = timezone.now() - timedelta(days=400)
PARTITION = """
CREATE TABLE IF NOT EXISTS {table}_old PARTITION OF {table} FOR VALUES FROM ('{first}') TO ('{end}')
"""


@pytest.fixture
def months_of_old():
    """On PostgreSQL: partitions in which the old rows stand."""
    if connection.vendor != "postgresql":
        return
    first, end = first_id(OLD - timedelta(days=1)), first_id(OLD + timedelta(days=1))
    with as_owner(), connection.cursor() as cursor:
        for model in (AuditEvent, RunStep, Run):
            table = model._meta.db_table
            cursor.execute(PARTITION.format(table=table, first=first, end=end))


@pytest.fixture
def old_event(acme, months_of_old):
    """One event of long ago."""
    with forging():
        return AuditEvent.objects.create(
            id=first_id(OLD), organization=acme, event_type="login", target="user:x"
        )
