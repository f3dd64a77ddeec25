"""An event says who did what, from where, and holds nothing that a database refuses."""

import pytest
from django.db import transaction

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.audit.services import Actor, record

pytestmark = [pytest.mark.database, pytest.mark.django_db]
STRANGER = Actor("anonymous", address="192.0.2.9", client="curl")


def test_an_event_has_no_blanks():
    """Otherwise: an auditor sees that something happened, but not who did it from where."""
    event = record(
        "login_failed",
        actor=STRANGER,
        organization=None,
        action="auth.login",
        target="user:unknown",
        decision="deny",
        data={"email": "a\x00b@acme.example", "n": 10**29},
    )
    event.refresh_from_db()
    assert (event.subject, event.action, event.decision) == ("anonymous", "auth.login", "deny")
    assert event.context == {"ip": "192.0.2.9", "client": "curl"}
    assert event.event_data == {"email": "a\ufffdb@acme.example", "n": 10**29}


@transaction.atomic
def undone():
    record("logout", actor=STRANGER, organization=None, action="auth.logout", target="user:x")
    raise ZeroDivisionError


def test_an_event_stands_exactly_if_its_change_does():
    """Otherwise: the log tells of changes that never were."""
    with pytest.raises(ZeroDivisionError):
        undone()
    assert not AuditEvent.objects.exists()
