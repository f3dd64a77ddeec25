"""Connections in the REST API."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.filters import ConnectionFilter
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.catalog.probing import probe_connection
from agentxsuite.control.catalog.serializers import (
    ConnectionSerializer,
    NewConnectionSerializer,
    ProbeSerializer,
    SyncSerializer,
)
from agentxsuite.control.catalog.services import (
    change_connection,
    create_connection,
    delete_connection,
    sync_connection,
)
from agentxsuite.control.catalog.upstreams import current
from agentxsuite.control.rest.elsewhere import wait_for
from agentxsuite.control.rest.views import Door, Resource
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Organization, Role
from agentxsuite.control.tenancy.scope import seeing


class Connections(Resource):
    """`/orgs/{org}/connections/`."""

    model = Connection
    serializer_class = ConnectionSerializer
    filterset_class = ConnectionFilter
    ordering_fields = ("name", "slug", "status", "last_seen_at", "created_at")

    def get_serializer_class(self) -> Any:
        """Return the serializer; only at its making a connection is given its place."""
        return NewConnectionSerializer if self.action == "create" else ConnectionSerializer

    def make(self, actor: Actor, organization: Organization, **facts: Any) -> Connection:  # noqa: ARG002 - the environment knows it
        """Connect an MCP server; nothing is asked of it before the first test or sync."""
        return create_connection(actor, **facts)

    def change(self, actor: Actor, row: Connection, **facts: Any) -> Connection:
        """Alter a connection; another `endpoint` sends all its tools to review."""
        return change_connection(actor, row, **facts)

    def end(self, actor: Actor, row: Connection) -> None:
        """Delete a connection and its tools; none of them can be called from then on."""
        delete_connection(actor, row)


class Upstream(Door):
    """`/connections/{connection}/`: what has to wait for the connection's server."""

    outside = frozenset({"sync", "test"})

    @extend_schema(request=None, responses={200: SyncSerializer, 502: None, 504: None})
    def sync(self, request: Request, connection: UUID) -> Response:
        """Compare the tools with what the server says now; answers what was found."""
        row = self._row(request, connection)
        report = wait_for(request, sync_connection, Actor.behind(request), row, current())
        return Response(report.as_json())

    @extend_schema(request=None, responses=ProbeSerializer)
    def test(self, request: Request, connection: UUID) -> Response:
        """Ask the server for a sign of life; a server that does not answer is a finding, too."""
        row = self._row(request, connection)
        probe = wait_for(request, probe_connection, Actor.behind(request), row, current())
        return Response(ProbeSerializer(asdict(probe)).data)

    def _row(self, request: Request, connection: UUID) -> Connection:
        with seeing():
            return access.within(access.caller(request), Connection, connection, Role.OPERATOR)
