"""One's own account at a connection's server, in the REST API."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.accounts import account_of, begin, disconnect
from agentxsuite.control.catalog.models import Account, Connection
from agentxsuite.control.rest.elsewhere import wait_for
from agentxsuite.control.rest.views import Door
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role
from agentxsuite.control.tenancy.scope import seeing


class AuthorizeSerializer(serializers.Serializer[Any]):
    """Where the person goes, logged in here in the same browser, within ten minutes."""

    authorize_url = serializers.URLField(max_length=None)


class AccountSerializer(serializers.ModelSerializer[Account]):
    """That there is an account, and since when; never what it lends."""

    class Meta:
        model = Account
        fields = ["connection", "created_at"]
        read_only_fields = fields


class Accounts(Door):
    """`/orgs/{org}/connections/{connection}/account/` and `.../authorize/`."""

    outside = frozenset({"authorize"})
    unkeyed = frozenset({"authorize"})

    @extend_schema(request=None, responses={200: AuthorizeSerializer, 502: None})
    def authorize(self, request: Request, org: UUID, connection: UUID) -> Response:
        """Begin to connect the caller's own account; answers the address to open."""
        with seeing():
            row = self._row(request, org, connection, Role.OPERATOR)
        url = wait_for(request, begin, row, access.caller(request))
        return Response({"authorize_url": url})

    @extend_schema(responses=AccountSerializer)
    def retrieve(self, request: Request, org: UUID, connection: UUID) -> Response:
        """Show whether the caller has connected an account there."""
        account = account_of(self._row(request, org, connection), access.caller(request))
        return Response(AccountSerializer(account).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, org: UUID, connection: UUID) -> Response:
        """Forget what the caller lent; their calls are refused until they connect again."""
        account = account_of(self._row(request, org, connection), access.caller(request))
        disconnect(Actor.behind(request), account)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _row(
        self, request: Request, org: UUID, connection: UUID, least: Role = Role.VIEWER
    ) -> Connection:
        """Return the connection; who may use it no more can still take back what they lent."""
        place = access.organization(access.caller(request), org, least)
        rows = access.live(Connection).filter(organization=place)
        return access.one(rows, id=connection)
