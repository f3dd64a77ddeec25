"""Old evidence goes when it may, whole, and its going is on record."""

import time
from uuid import UUID

import pytest
from django.db import connection

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.storage import retention
from agentxsuite.control.storage.patience import Busy
from agentxsuite.control.storage.roles import as_owner
from agentxsuite.control.tenancy.evidence import first_id
from agentxsuite.gateway.ledger.line import STATEMENT_SECONDS
from tests.old import OLD
from tests.witness import forging

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
BY_HAND = Actor("client:tests")


@pytest.fixture
def events(acme, months_of_old):
    """Twelve old events of Acme, and a new one."""
    with forging():
        for number in range(13):
            old = UUID(int=first_id(OLD).int + number)
            AuditEvent.objects.create(
                **({"id": old} if number < 12 else {}),
                organization=acme,
                event_type="login",
                subject="anonymous",
                action="auth.login",
                target=f"user:{number}",
            )


def kept():
    return set(AuditEvent.objects.filter(event_type="login").values_list("target", flat=True))


def notes():
    return list(AuditEvent.objects.filter(event_type="evidence_dropped").order_by("id"))


def drop_all(**days):
    with as_owner():
        return [retention.drop(BY_HAND, past) for past in retention.old_evidence(**days)]


def test_what_is_old_goes_and_the_rest_stays(events, monkeypatch):
    """Evidence piles up for ever, or yesterday's goes too."""
    monkeypatch.setattr(retention, "CHUNK", 5)
    assert sum(drop_all(audit_days=365, run_days=365)) == 12
    assert kept() == {"user:12"}
    told = [note for note in notes() if note.event_data["rows"]]
    assert sum(note.event_data["rows"] for note in told) == 12
    assert {note.target.removesuffix("_old") for note in told} == {"table:audit_auditevent"}
    assert {(note.subject, note.action) for note in told} == {("client:tests", "evidence.drop")}
    assert drop_all(audit_days=365, run_days=365) == []


def test_nothing_goes_before_its_time(events):
    """Evidence that the law wants kept is gone."""
    assert drop_all(audit_days=500, run_days=500) == []
    assert len(kept()) == 13
    assert not notes()


def test_audit_goes_before_runs(events):
    """A run stands there without what is on record about it."""
    with as_owner():
        tables = [past.table for past in retention.old_evidence(audit_days=30, run_days=30)]
    order = ["audit_auditevent", "runs_runstep", "runs_run"]
    places = [order.index(table.partition("_y")[0].removesuffix("_old")) for table in tables]
    assert places == sorted(places)
    assert places[0] == 0


@pytest.mark.parametrize("days", [0, -1])
def test_today_is_kept_whatever_is_asked(days):
    """A slip of the hand takes the evidence of the running day."""
    with pytest.raises(ValueError, match="a day at least"):
        retention.old_evidence(audit_days=days, run_days=30)


@pytest.mark.database(only="postgres")
def test_who_waits_for_a_reader_lets_calls_through(events, at_once, reader_of):
    """A long report and old evidence together stop every call for as long as the report takes."""
    waits = []

    def look(execute, sql, params, many, context):
        started = time.monotonic()
        try:
            return execute(sql, params, many, context)
        finally:
            waits.append(time.monotonic() - started)

    with (
        reader_of(AuditEvent),
        connection.execute_wrapper(look),
        pytest.raises(Busy, match=r"audit_auditevent_.* in use"),
    ):
        drop_all(audit_days=365, run_days=365)
    assert max(waits) < STATEMENT_SECONDS
    assert len(kept()) == 13
    assert not notes()
