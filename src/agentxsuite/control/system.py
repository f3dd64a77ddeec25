"""What only whoever runs the installation sees: how it is set up, and the log of no organization.

To everybody else there is nothing here, as with what belongs to another organization.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite import __version__
from agentxsuite.control.agents.issuers import described_issuers
from agentxsuite.control.audit.api import EventFilter, EventSerializer
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.upstreams import templates
from agentxsuite.control.problems import NotFound
from agentxsuite.control.rest.pages import Newest, page
from agentxsuite.control.rest.views import Door
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.scope import INSTALLATION, admit
from agentxsuite.engines.upstream import Template


class TemplateSerializer(serializers.Serializer[Any]):
    """A command that connections may start; of its environment only the names are shown."""

    name = serializers.CharField()
    command = serializers.ListField(child=serializers.CharField())
    parameters = serializers.ListField(child=serializers.CharField())
    secret_variable = serializers.CharField(allow_null=True)
    env = serializers.ListField(child=serializers.CharField())
    cwd = serializers.CharField()


class IssuerSerializer(serializers.Serializer[Any]):
    """An outside issuer whose tokens agents may show; no organizations means all of them."""

    name = serializers.CharField()
    issuer = serializers.CharField()
    algorithms = serializers.ListField(child=serializers.CharField())
    jwks_uri = serializers.CharField(allow_null=True)
    leeway_seconds = serializers.IntegerField()
    max_lifetime_seconds = serializers.IntegerField()
    organizations = serializers.ListField(child=serializers.CharField())


class SystemSerializer(serializers.Serializer[Any]):
    """How the installation is set up; nothing of it is secret."""

    version = serializers.CharField()
    plane = serializers.CharField(help_text="what this process answers: all, data or control")
    database = serializers.CharField()
    registration = serializers.CharField()
    egress_allow = serializers.ListField(child=serializers.CharField())
    command_templates = TemplateSerializer(many=True)
    trusted_issuers = IssuerSerializer(many=True)


class System(Door):
    """`/system/`."""

    @extend_schema(responses={200: SystemSerializer, 403: None, 404: None})
    def retrieve(self, request: Request) -> Response:
        """Show how the installation is set up, to its operators."""
        check_operator(request)
        shown = {
            "version": __version__,
            "plane": settings.PLANE,
            "database": "sqlite" if settings.EMBEDDED else "postgresql",
            "registration": settings.REGISTRATION,
            "egress_allow": list(settings.EGRESS_ALLOW),
            "command_templates": [described(each) for each in templates().values()],
            "trusted_issuers": described_issuers(),
        }
        return Response(SystemSerializer(shown).data)


class Log(Door):
    """`/system/audit/`: events without an organization."""

    serializer_class = EventSerializer
    pagination_class = Newest

    @extend_schema(parameters=[EventFilter], responses={200: EventSerializer(many=True), 404: None})
    def list(self, request: Request) -> Response:
        """List what happened in no organization, newest first, to operators of the installation."""
        rows = EventFilter(data=request.query_params).narrow(events(request))
        return page(request, rows, EventSerializer, Newest)

    def retrieve(self, request: Request, event: UUID) -> Response:
        """Show one event."""
        return Response(EventSerializer(access.one(events(request), id=event)).data)


def check_operator(request: Request) -> None:
    """Raise NotFound to whoever does not run the installation."""
    if not access.caller(request).is_operator:
        raise NotFound


def events(request: Request) -> Any:
    """Return the log, to an operator; raises NotFound."""
    check_operator(request)
    admit([INSTALLATION])
    return AuditEvent.objects.filter(organization=None).order_by("-id")


def described(template: Template) -> dict[str, Any]:
    """Return a template without what its environment holds."""
    return {
        "name": template.name,
        "command": list(template.command),
        "parameters": sorted(template.parameters),
        "secret_variable": template.secret_variable,
        "env": sorted(template.env),
        "cwd": template.cwd,
    }
