"""People and organizations in the REST API."""

from typing import Any

from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.login import log_in, log_out
from agentxsuite.control.tenancy.models import (
    Environment,
    EnvironmentType,
    Organization,
    OrganizationMembership,
    User,
)
from agentxsuite.control.tenancy.pages import Numbered, page
from agentxsuite.control.tenancy.serializers import Choice, StrictModelSerializer
from agentxsuite.control.tenancy.services import (
    change_environment,
    create_environment,
    delete_environment,
)
from agentxsuite.control.tenancy.views import Door, Resource


class UserSerializer(serializers.ModelSerializer[User]):
    """A person, to themselves."""

    class Meta:
        model = User
        fields = ["id", "email", "first_name", "last_name", "is_operator", "created_at"]


class OrganizationSerializer(serializers.ModelSerializer[Organization]):
    """An organization."""

    class Meta:
        model = Organization
        fields = ["id", "name", "created_at", "updated_at"]


class MembershipSerializer(serializers.ModelSerializer[OrganizationMembership]):
    """An organization and the caller's role in it."""

    id = serializers.UUIDField(source="organization.id")
    name = serializers.CharField(source="organization.name")

    class Meta:
        model = OrganizationMembership
        fields = ["id", "name", "role"]


class LoginSerializer(serializers.Serializer[Any]):
    """What a login is tried with."""

    email = serializers.EmailField()
    password = serializers.CharField(max_length=1024, trim_whitespace=False)


class Login(Door):
    """`/auth/login/`: the one door that asks for no token."""

    permission_classes = [AllowAny]
    authentication_classes = []
    outside = frozenset({"create"})  # hashing takes its time

    def create(self, request: Request) -> Response:
        """Exchange address and password for a login token."""
        asked = LoginSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        login = log_in(Actor.behind(request), **asked.validated_data)
        return Response(
            {
                "token": login.token,
                "expiry": login.expiry,
                "user": UserSerializer(login.user).data,
            }
        )


class Logout(Door):
    """`/auth/logout/`."""

    def create(self, request: Request) -> Response:
        """Give back the token that this request came with."""
        log_out(Actor.behind(request), access.caller(request), request.auth)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Me(Door):
    """`/auth/me/`: the caller."""

    def retrieve(self, request: Request) -> Response:
        """Tell who the caller is, and in which organizations with which role."""
        mine = MembershipSerializer(_mine(request), many=True)
        return Response({**UserSerializer(access.caller(request)).data, "organizations": mine.data})

    def organizations(self, request: Request) -> Response:
        """List the caller's organizations with their role in each."""
        return page(request, _mine(request), MembershipSerializer, Numbered)


class Organizations(Door):
    """`/orgs/`."""

    def list(self, request: Request) -> Response:
        """List the organizations that the caller is a member of."""
        mine = Organization.objects.filter(id__in=_mine(request).values("organization"))
        return page(request, mine.order_by("name", "id"), OrganizationSerializer, Numbered)


class EnvironmentSerializer(StrictModelSerializer[Environment]):
    """An environment."""

    type = Choice(choices=EnvironmentType.choices, default=EnvironmentType.DEV)

    class Meta:
        model = Environment
        fields = ["id", "name", "type", "created_at", "updated_at"]


class Environments(Resource):
    """`/orgs/{org}/environments/`."""

    model = Environment
    serializer_class = EnvironmentSerializer
    filterset_fields = ("name", "type")
    ordering_fields = ("name", "type", "created_at")

    def make(self, actor: Actor, organization: Organization, **facts: Any) -> Environment:
        """Make an environment."""
        return create_environment(actor, organization, facts["name"], facts["type"])

    def change(self, actor: Actor, row: Environment, **facts: Any) -> Environment:
        """Rename an environment, or say that more or less is at stake there."""
        return change_environment(actor, row, **facts)

    def end(self, actor: Actor, row: Environment) -> None:
        """Delete an environment; nothing in it can be called from then on."""
        delete_environment(actor, row)


def _mine(request: Request) -> Any:
    return access.memberships(access.caller(request)).order_by("organization__name", "id")
