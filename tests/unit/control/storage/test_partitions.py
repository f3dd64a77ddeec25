"""Evidence stands in months that are made ahead; an id alone tells which one is asked."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run, RunStep
from agentxsuite.control.storage.partitions import MONTHS_AHEAD, add_partitions
from agentxsuite.control.storage.patience import Busy
from agentxsuite.control.storage.roles import as_owner
from agentxsuite.control.tenancy.evidence import first_id, moment_of

pytestmark = [pytest.mark.database(only="postgres"), pytest.mark.django_db]
EVIDENCE = (Run, RunStep, AuditEvent)


def partitions(model):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relid::regclass::text FROM pg_partition_tree(%s::regclass) WHERE isleaf",
            [model._meta.db_table],
        )
        return sorted(name for (name,) in cursor.fetchall())


@pytest.fixture
def no_months_left():
    """Months that a test has really added are taken away."""
    before = {name for model in EVIDENCE for name in partitions(model)}
    yield
    with as_owner(), connection.cursor() as cursor:
        for name in {name for model in EVIDENCE for name in partitions(model)} - before:
            cursor.execute(f"DROP TABLE {name}")


def plan(rows):
    return rows.explain()


@pytest.mark.parametrize("model", EVIDENCE)
def test_months_are_there_before_they_begin(model):
    """At midnight of a first of a month every call is refused: there is nowhere to record it."""
    this_month = timezone.now().strftime("y%Ym%m")
    found = partitions(model)
    assert f"{model._meta.db_table}_{this_month}" in found
    assert len(found) > MONTHS_AHEAD


def test_what_is_missing_is_added_once():
    """A server that runs for a year comes to the end of its months, or adds one twice."""
    known = len(partitions(Run))
    made = add_partitions(MONTHS_AHEAD + 2)
    assert len(made) == 2 * len(EVIDENCE)
    assert add_partitions(MONTHS_AHEAD + 2) == []
    assert len(partitions(Run)) == known + 2


@pytest.mark.parametrize("ahead", [-1, 25])
def test_nobody_fills_the_database_with_months(ahead):
    """The application's role makes tables without end."""
    with pytest.raises(DatabaseError, match="from 0 to 24 months"), transaction.atomic():
        add_partitions(ahead)


def test_months_are_added_to_evidence_only():
    """The application's role makes partitions of whatever it likes."""
    with pytest.raises(DatabaseError, match="to evidence, not 1 to"), connection.cursor() as cursor:
        cursor.execute("SELECT agentxsuite_add_partitions('tenancy_user', 1)")


@pytest.mark.django_db(transaction=True)
def test_a_reader_of_one_table_holds_up_no_other(at_once, reader_of, no_months_left):
    """A long report keeps all evidence from having its next month, and all calls from running."""
    months = partitions(Run), partitions(AuditEvent)
    with reader_of(AuditEvent), pytest.raises(Busy, match="audit_auditevent was in use"):
        add_partitions(MONTHS_AHEAD + 3)
    assert len(partitions(Run)) == len(months[0]) + 3
    assert partitions(AuditEvent) == months[1]


def test_one_run_is_looked_for_in_one_month():
    """A page of one run reads the history of years."""
    assert plan(Run.objects.filter(id=uuid7())).count("on runs_run_y") == 1


def test_a_range_of_time_is_looked_for_in_its_months():
    """A report of one day reads the history of years."""
    now = timezone.now()
    day = Run.objects.filter(id__gte=first_id(now), id__lt=first_id(now + timedelta(seconds=1)))
    assert plan(day).count("on runs_run_y") == 1


def test_an_id_tells_its_moment_to_the_millisecond():
    """Evidence is dropped a month too early."""
    moment = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)  # RFC 9562, appendix A.6
    assert moment_of(UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")) == moment
    assert first_id(moment) == UUID("017f22e2-79b0-0000-0000-000000000000")
