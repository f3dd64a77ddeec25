"""What people granted, and programs' logins, in the REST API."""

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.oauth.grants import end
from agentxsuite.control.oauth.machines import create_machine, delete_machine
from agentxsuite.control.oauth.models import Grant, Machine
from agentxsuite.control.oauth.scopes import scope_words
from agentxsuite.control.rest.pages import Numbered, page
from agentxsuite.control.rest.serializers import Strict
from agentxsuite.control.rest.views import Door
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role

if TYPE_CHECKING:
    from django.db.models import QuerySet


class GrantSerializer(serializers.ModelSerializer[Grant]):
    """What a person granted to a client: to act as an agent, until it is ended."""

    client_id = serializers.CharField(source="client.client_id")
    client_name = serializers.CharField(source="client.name")
    agent_name = serializers.CharField(source="agent.name")
    email = serializers.EmailField(source="user.email")
    scopes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Grant
        fields = [
            "id",
            "organization",
            "environment",
            "agent",
            "agent_name",
            "user",
            "email",
            "client_id",
            "client_name",
            "scopes",
            "created_at",
            "used_at",
        ]
        read_only_fields = fields


class ClientSerializer(serializers.ModelSerializer[Machine]):
    """The login of a program, without its secret."""

    client_id = serializers.CharField(source="client.client_id")
    scopes = serializers.ListField(child=serializers.CharField(), source="client.scopes")
    used_at = serializers.DateTimeField(source="client.used_at", allow_null=True)

    class Meta:
        model = Machine
        fields = ["id", "name", "agent", "client_id", "scopes", "created_at", "used_at"]
        read_only_fields = fields


class NewClientSerializer(ClientSerializer):
    """A new login: its secret is shown this once."""

    client_secret = serializers.SerializerMethodField()

    class Meta(ClientSerializer.Meta):
        fields = [*ClientSerializer.Meta.fields, "client_secret"]

    def get_client_secret(self, _machine: Machine) -> str:
        """Return what the program logs in with."""
        return str(self.context["secret"])


class MakeClientSerializer(Strict):
    """What a program's login is made from."""

    name = serializers.CharField(max_length=200)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=scope_words()),
        min_length=1,
        max_length=len(scope_words()),
        default=lambda: ["tool.invoke"],
    )


class MyGrants(Door):
    """`/auth/me/grants/`: what the caller let clients do."""

    serializer_class = GrantSerializer
    pagination_class = Numbered

    def list(self, request: Request) -> Response:
        """List what the caller granted and has not ended, newest first."""
        return page(request, self._mine(request), GrantSerializer, Numbered)

    def retrieve(self, request: Request, **path: Any) -> Response:
        """Show one grant of the caller's."""
        return Response(GrantSerializer(access.one(self._mine(request), id=path["id"])).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, **path: Any) -> Response:
        """End a grant: the client's next call is refused."""
        end(Actor.behind(request), access.one(self._mine(request), id=path["id"]))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _mine(self, request: Request) -> "QuerySet[Grant]":
        user = access.caller(request)
        return _shown(access.visible(user, Grant.objects.standing()).filter(user=user))


class Grants(Door):
    """`/orgs/{org}/grants/`: what people let clients do there."""

    serializer_class = GrantSerializer
    pagination_class = Numbered

    def list(self, request: Request, **path: Any) -> Response:
        """List what people granted in the organization, newest first; for administrators."""
        return page(request, self._theirs(request, **path), GrantSerializer, Numbered)

    def retrieve(self, request: Request, **path: Any) -> Response:
        """Show one grant; for administrators."""
        found = access.one(self._theirs(request, org=path["org"]), id=path["id"])
        return Response(GrantSerializer(found).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, **path: Any) -> Response:
        """End somebody's grant: the client's next call is refused; for administrators."""
        end(
            Actor.behind(request), access.one(self._theirs(request, org=path["org"]), id=path["id"])
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _theirs(self, request: Request, **path: Any) -> "QuerySet[Grant]":
        organization = access.organization(access.caller(request), path["org"], Role.ADMIN)
        return _shown(access.live(Grant.objects.standing()).filter(organization=organization))


class Clients(Door):
    """`/orgs/{org}/agents/{agent}/clients/`: the logins of programs that act as an agent."""

    serializer_class = ClientSerializer
    pagination_class = Numbered
    shows_once = {"create": "id"}

    def list(self, request: Request, **path: Any) -> Response:
        """List the agent's logins, newest first."""
        agent = self._agent(request, path, Role.VIEWER)
        rows = Machine.objects.filter(agent=agent).select_related("client")
        return page(request, rows.order_by("-created_at", "id"), ClientSerializer, Numbered)

    @extend_schema(request=MakeClientSerializer, responses={201: NewClientSerializer})
    def create(self, request: Request, **path: Any) -> Response:
        """Make a login for a program; its secret is shown this once."""
        agent = self._agent(request, path, Role.ADMIN)
        asked = MakeClientSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        machine, secret = create_machine(Actor.behind(request), agent, **asked.validated_data)
        made = NewClientSerializer(machine, context={"secret": secret})
        return Response(made.data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, **path: Any) -> Response:
        """Delete a login: it and its tokens are good no more."""
        rows = Machine.objects.filter(agent=self._agent(request, path, Role.ADMIN))
        delete_machine(Actor.behind(request), access.one(rows, id=path["id"]))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _agent(self, request: Request, path: dict[str, Any], least: Role) -> Agent:
        organization = access.organization(access.caller(request), path["org"], least)
        rows = access.live(Agent).filter(organization=organization)
        return access.one(rows, id=path["agent"])


def _shown(rows: "QuerySet[Grant]") -> "QuerySet[Grant]":
    related = rows.select_related("client", "agent", "user")
    return related.filter(agent__deleted_at=None).order_by("-created_at", "id")
