"""Audit events in the REST API: read, never written."""

from datetime import timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.models import AuditEvent, Decision
from agentxsuite.control.rest.merging import Merged
from agentxsuite.control.rest.narrowing import Filters, Narrow, equal, matching, since, until
from agentxsuite.control.rest.pages import Newest, page
from agentxsuite.control.rest.serializers import Choice
from agentxsuite.control.rest.views import Door
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role

LAST: Final = timedelta(hours=24)  # what the list of all organizations goes back


class EventSerializer(serializers.ModelSerializer[AuditEvent]):
    """An audit event, whole; it never changes."""

    class Meta:
        model = AuditEvent
        fields = [
            "id",
            "organization",
            "environment",
            "event_type",
            "event_data",
            "ts",
            "subject",
            "action",
            "target",
            "decision",
            "rule_id",
            "rule_name",
            "policy_id",
            "policy_version",
            "run_id",
            "decision_id",
            "context",
            "created_at",
        ]
        read_only_fields = fields


class EventFilter(Filters):
    """The six filters; subject, action and target match exactly, or by prefix before a `*`."""

    subject = serializers.CharField(max_length=255, required=False)
    action = serializers.CharField(max_length=200, required=False)
    target = serializers.CharField(max_length=1024, required=False)
    decision = Choice([Decision.ALLOW.value, Decision.DENY.value], required=False)
    ts_from = serializers.DateTimeField(required=False)
    ts_to = serializers.DateTimeField(required=False)

    how: ClassVar[dict[str, Narrow]] = {
        "subject": matching("subject"),
        "action": matching("action"),
        "target": matching("target"),
        "decision": equal("decision"),
        "ts_from": since("ts"),
        "ts_to": until("ts"),
    }


class Events(Door):
    """`/orgs/{org}/audit/`, and `/audit/` for all of the caller's organizations."""

    serializer_class = EventSerializer
    pagination_class = Newest

    @extend_schema(parameters=[EventFilter])
    def list(self, request: Request, org: UUID) -> Response:
        """List an organization's audit events, newest first."""
        rows = EventFilter(data=request.query_params).narrow(_events(request, org))
        return page(request, rows, EventSerializer, Newest)

    @extend_schema(parameters=[EventFilter], responses=EventSerializer(many=True))
    def everywhere(self, request: Request) -> Response:
        """List the last 24 hours of all organizations whose audit the caller may read."""
        recent = since("ts")(AuditEvent.objects.all(), timezone.now() - LAST)
        rows = EventFilter(data=request.query_params).narrow(recent)
        return page(request, Merged(rows, _readable(request)), EventSerializer, Newest)

    def retrieve(self, request: Request, org: UUID, event: UUID) -> Response:
        """Show one event."""
        return Response(EventSerializer(access.one(_events(request, org), id=event)).data)


def _events(request: Request, org: UUID) -> Any:
    organization = access.organization(access.caller(request), org, Role.AUDITOR)
    return AuditEvent.objects.in_organization(organization)


def _readable(request: Request) -> list[UUID]:
    memberships = access.memberships(access.caller(request))
    readable = memberships.filter(role__in=access.SUFFICES[Role.AUDITOR])
    return list(readable.values_list("organization", flat=True))
