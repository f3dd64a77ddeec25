"""Connections in the REST API."""

from uuid import UUID

from asgiref.sync import async_to_sync
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.catalog.services import sync_connection
from agentxsuite.control.catalog.upstreams import current
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role
from agentxsuite.control.tenancy.scope import seeing
from agentxsuite.control.tenancy.views import Door


class Connections(Door):
    """`/connections/{connection}/`."""

    outside = frozenset({"sync"})

    def sync(self, request: Request, connection: UUID) -> Response:
        """Compare the tools with what the server says now; answers what was found."""
        with seeing():
            row = access.within(access.caller(request), Connection, connection, Role.OPERATOR)
        # On the server's own loop, which the upstreams' sockets belong to.
        report = async_to_sync(sync_connection)(Actor.behind(request), row, current())
        return Response(report.as_json())
