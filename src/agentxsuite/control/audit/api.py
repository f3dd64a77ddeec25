"""Audit events in the REST API: read, never written."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Left
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.models import AuditEvent, Decision
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.evidence import first_id
from agentxsuite.control.tenancy.models import Role
from agentxsuite.control.tenancy.pages import Newest, page
from agentxsuite.control.tenancy.views import Door

# An event's id is made at most this long after the moment it tells of.
LATE: Final = 60 * 60 * 1000  # milliseconds
ANY = "*"


class EventSerializer(serializers.ModelSerializer[AuditEvent]):
    """An audit event, whole."""

    class Meta:
        model = AuditEvent
        fields = "__all__"


class EventFilter(serializers.Serializer[Any]):
    """The six filters; subject, action and target match exactly, or by prefix before a `*`."""

    subject = serializers.CharField(max_length=255, required=False)
    action = serializers.CharField(max_length=200, required=False)
    target = serializers.CharField(max_length=1024, required=False)
    decision = serializers.ChoiceField(Decision.choices, required=False)
    ts_from = serializers.DateTimeField(required=False)
    ts_to = serializers.DateTimeField(required=False)

    def narrow(self, rows: "QuerySet[AuditEvent]") -> "QuerySet[AuditEvent]":
        """Return the rows that pass every filter; raises ValidationError."""
        self.is_valid(raise_exception=True)
        for name, value in self.validated_data.items():
            rows = NARROW[name](rows, name, value)
        return rows


class Events(Door):
    """`/orgs/{org}/audit/`."""

    def list(self, request: Request, org: UUID) -> Response:
        """List audit events, newest first."""
        rows = EventFilter(data=request.query_params).narrow(_events(request, org))
        return page(request, rows, EventSerializer, Newest)

    def retrieve(self, request: Request, org: UUID, event: UUID) -> Response:
        """Show one event."""
        return Response(EventSerializer(access.one(_events(request, org), id=event)).data)


def _events(request: Request, org: UUID) -> Any:
    organization = access.organization(access.caller(request), org, Role.AUDITOR)
    return AuditEvent.objects.in_organization(organization)


def _matching(rows: Any, name: str, value: str) -> Any:
    if not value.endswith(ANY):
        return rows.filter(**{name: value})
    prefix = value.removesuffix(ANY)
    # LIKE, which the index serves, ignores case on SQLite: the comparison beside it does not.
    exact = Q(**{f"{name}_start": prefix}) if prefix else Q()
    start = {f"{name}_start": Left(name, len(prefix) or 1)}
    return rows.alias(**start).filter(exact, **{f"{name}__startswith": prefix})


def _equal(rows: Any, name: str, value: str) -> Any:
    return rows.filter(**{name: value})


def _since(rows: Any, _name: str, moment: datetime) -> Any:
    return rows.filter(ts__gte=moment, id__gte=first_id(moment))


def _until(rows: Any, _name: str, moment: datetime) -> Any:
    return rows.filter(ts__lte=moment, id__lte=first_id(moment, LATE))


NARROW: Final[Mapping[str, Callable[[Any, str, Any], Any]]] = {
    "subject": _matching,
    "action": _matching,
    "target": _matching,
    "decision": _equal,
    "ts_from": _since,
    "ts_to": _until,
}
