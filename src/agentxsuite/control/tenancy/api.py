"""Organizations, their environments and the people in them, in the REST API."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.rest.filters import AnyCase
from agentxsuite.control.rest.serializers import Choice, StrictModelSerializer
from agentxsuite.control.rest.views import WRITERS, Resource
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.invitations import LONGEST, SHORTEST, USUAL, invite, withdraw
from agentxsuite.control.tenancy.members import change_member, remove_member
from agentxsuite.control.tenancy.models import (
    Environment,
    EnvironmentType,
    Invitation,
    Organization,
    OrganizationMembership,
    Role,
)
from agentxsuite.control.tenancy.services import (
    change_environment,
    change_organization,
    create_environment,
    create_organization,
    delete_environment,
    delete_organization,
)


class OrganizationSerializer(StrictModelSerializer[Organization]):
    """An organization."""

    class Meta:
        model = Organization
        fields = ["id", "name", "created_at", "updated_at"]


class Organizations(Resource):
    """`/orgs/`: those that the caller is a member of; any role sees that they are there."""

    model = Organization
    serializer_class = OrganizationSerializer
    roles = {**WRITERS, "retrieve": Role.AUDITOR, "destroy": Role.OWNER}
    filterset_fields = ("name",)
    ordering_fields = ("name", "created_at")
    ordering = ("name", "id")

    def get_queryset(self) -> QuerySet[Organization]:
        """Return the caller's organizations."""
        mine = access.memberships(access.caller(self.request))
        return Organization.objects.filter(id__in=mine.values("organization"))

    def get_object(self) -> Organization:
        """Return the organization in the path; raises NotFound or Forbidden."""
        return self.organization

    def get_serializer_context(self) -> dict[str, Any]:
        """Tell nothing: no field names a row of an organization."""
        return {"request": self.request}

    def create(self, request: Request, **_path: Any) -> Response:
        """Found an organization; the caller becomes its owner."""
        access.caller(request)
        row = create_organization(Actor.behind(request), **self.asked(request))
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def change(self, actor: Actor, row: Organization, **facts: Any) -> Organization:
        """Rename an organization."""
        return change_organization(actor, row, **facts)

    def end(self, actor: Actor, row: Organization) -> None:
        """Delete an organization, and with it the use of everything in it."""
        delete_organization(actor, row)


class EnvironmentSerializer(StrictModelSerializer[Environment]):
    """An environment."""

    type = Choice(choices=EnvironmentType.choices, default=EnvironmentType.DEV)

    class Meta:
        model = Environment
        fields = ["id", "name", "type", "created_at", "updated_at"]


class EnvironmentFilter(filters.FilterSet):
    """What a list of environments is narrowed to."""

    type = AnyCase(choices=EnvironmentType.choices)

    class Meta:
        model = Environment
        fields = ("name",)


class Environments(Resource):
    """`/orgs/{org}/environments/`."""

    model = Environment
    serializer_class = EnvironmentSerializer
    filterset_class = EnvironmentFilter
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


class MemberSerializer(StrictModelSerializer[OrganizationMembership]):
    """A person in an organization; `is_active` false suspends them."""

    email = serializers.EmailField(source="user.email", read_only=True)
    first_name = serializers.CharField(source="user.first_name", read_only=True)
    last_name = serializers.CharField(source="user.last_name", read_only=True)
    role = Choice(choices=Role.choices)

    class Meta:
        model = OrganizationMembership
        fields = ["user", "email", "first_name", "last_name", "role", "is_active", "created_at"]
        read_only_fields = ["user"]


class MemberFilter(filters.FilterSet):
    """What a list of members is narrowed to."""

    email = filters.CharFilter(field_name="user__email", lookup_expr="iexact")

    class Meta:
        model = OrganizationMembership
        fields = ("role", "is_active")


class Members(Resource):
    """`/orgs/{org}/members/`, each by their person's id."""

    model = OrganizationMembership
    serializer_class = MemberSerializer
    roles = {**WRITERS, "destroy": Role.AUDITOR}  # anybody may leave; the service knows the rest
    related = ("user",)
    filterset_class = MemberFilter
    ordering_fields = ("role", "created_at")

    def get_object(self) -> OrganizationMembership:
        """Return the membership of the person in the path; raises NotFound."""
        found: OrganizationMembership = access.one(self.get_queryset(), user=self.kwargs["user"])
        return found

    def change(
        self, actor: Actor, row: OrganizationMembership, **facts: Any
    ) -> OrganizationMembership:
        """Give a member another role, suspend them, or let them back."""
        return change_member(actor, row, **facts)

    def end(self, actor: Actor, row: OrganizationMembership) -> None:
        """Remove a member, or leave."""
        remove_member(actor, row)


class InvitationSerializer(StrictModelSerializer[Invitation]):
    """An invitation that waits; its code is not kept."""

    role = Choice(choices=Role.choices, default=Role.VIEWER)
    ttl_seconds = serializers.IntegerField(
        min_value=SHORTEST, max_value=LONGEST, default=USUAL, write_only=True
    )

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "ttl_seconds", "expires_at", "invited_by", "created_at"]
        read_only_fields = ["expires_at", "invited_by"]


class NewInvitationSerializer(InvitationSerializer):
    """An invitation with its code, for whoever invites to pass on; shown this once."""

    code = serializers.CharField(read_only=True)

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "code"]


class Invitations(Resource):
    """`/orgs/{org}/invitations/`."""

    model = Invitation
    serializer_class = InvitationSerializer
    filterset_fields = ("email", "role")
    ordering_fields = ("email", "expires_at", "created_at")
    shows_once = {"create": "id"}

    @extend_schema(request=InvitationSerializer, responses={201: NewInvitationSerializer})
    def create(self, request: Request, **_path: Any) -> Response:
        """Invite somebody; this answer is the only one that ever shows the code."""
        organization = self.organization
        row, code = invite(Actor.behind(request), organization, **self.asked(request))
        shown = {**self.get_serializer(row).data, "code": code}
        return Response(shown, status=status.HTTP_201_CREATED)

    def end(self, actor: Actor, row: Invitation) -> None:
        """Withdraw an invitation; its code is worthless from then on."""
        withdraw(actor, row)
