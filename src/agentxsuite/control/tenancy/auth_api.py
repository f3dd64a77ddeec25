"""People in the REST API: making an account, logging in, and what is one's own."""

from typing import Any, Final
from uuid import UUID

from django.utils.crypto import salted_hmac
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.rest.pages import Numbered
from agentxsuite.control.rest.serializers import Strict, StrictModelSerializer
from agentxsuite.control.rest.views import Door
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.accounts import change_account, change_password, register
from agentxsuite.control.tenancy.invitations import redeem
from agentxsuite.control.tenancy.login import account, log_in, log_out, take_a_try
from agentxsuite.control.tenancy.models import OrganizationMembership, User
from agentxsuite.control.tenancy.scope import seeing
from agentxsuite.control.tenancy.services import create_organization

# How it is refused where a password shows once more who somebody is: wrong, or tried too often.
UNCONFIRMED: Final = {403: None, 429: None}


class PasswordField(serializers.CharField):
    """A password: taken as it is, and never shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=1024, trim_whitespace=False, write_only=True, **kwargs)


class UserSerializer(StrictModelSerializer[User]):
    """A person, to themselves."""

    class Meta:
        model = User
        fields = ["id", "email", "first_name", "last_name", "is_operator", "created_at"]
        read_only_fields = ["is_operator"]


class MembershipSerializer(serializers.ModelSerializer[OrganizationMembership]):
    """An organization and the caller's role in it."""

    id = serializers.UUIDField(source="organization.id")
    name = serializers.CharField(source="organization.name")

    class Meta:
        model = OrganizationMembership
        fields = ["id", "name", "role"]


class MeSerializer(UserSerializer):
    """The caller, and their role in each of their organizations."""

    password = PasswordField(required=False, help_text="needed to change `email`")
    organizations = serializers.SerializerMethodField()

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "organizations", "password"]
        extra_kwargs = {
            "email": {"required": False},
            "first_name": {"default": ""},
            "last_name": {"default": ""},
        }

    @extend_schema_field(MembershipSerializer(many=True))
    def get_organizations(self, _user: User) -> Any:
        """Return where the caller is a member."""
        return MembershipSerializer(_mine(self.context["request"]), many=True).data


class LoginSerializer(Strict):
    """What a login is tried with."""

    email = serializers.EmailField()
    password = PasswordField()


class SessionSerializer(serializers.Serializer[Any]):
    """A login: its token is shown this once."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField()
    user = UserSerializer()


class RegisterSerializer(StrictModelSerializer[User]):
    """What an account is made from; an invitation's code is needed where the server says so."""

    password = PasswordField()
    invitation = serializers.CharField(max_length=200, default="", allow_blank=True)

    class Meta:
        model = User
        fields = ["email", "password", "first_name", "last_name", "invitation"]


class JoinSerializer(Strict):
    """Either the name of a new organization, or the code of an invitation to one."""

    name = serializers.CharField(max_length=200, required=False)
    invitation = serializers.CharField(max_length=200, required=False)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        """Return the one fact that was given; raises ValidationError."""
        if len(attrs) != 1:
            told = "give either the name of a new organization or an invitation's code"
            raise serializers.ValidationError(told)
        return attrs


class NewPasswordSerializer(Strict):
    """The password that was, and the one that shall be."""

    password = PasswordField(help_text="the one until now")
    new_password = PasswordField()


class Anybody(Door):
    """A door that asks for no token; hashing takes its time, so no transaction waits for it."""

    permission_classes = [AllowAny]
    authentication_classes = []
    outside = frozenset({"create"})
    shows_once = {"create": "user.id"}

    def holder(self, request: Request) -> UUID | None:
        """Stand for whoever the caller says to be; asking what became of a key is a try, too."""
        claimed = request.data.get("email") if isinstance(request.data, dict) else None
        if not isinstance(claimed, str):
            return None
        take_a_try(Actor.behind(request), claimed)
        whole = salted_hmac("idempotency of", account(claimed), algorithm="sha256").digest()
        return UUID(bytes=whole[:16])


class Register(Anybody):
    """`/auth/register/`."""

    @extend_schema(request=RegisterSerializer, responses={201: SessionSerializer, 403: None})
    def create(self, request: Request) -> Response:
        """Make an account and log in to it; with an invitation's code, join at once."""
        asked = _asked(RegisterSerializer, request)
        made = register(Actor.behind(request), **asked)
        return Response(SessionSerializer(made).data, status=status.HTTP_201_CREATED)


class Login(Anybody):
    """`/auth/login/`."""

    @extend_schema(request=LoginSerializer, responses={200: SessionSerializer})
    def create(self, request: Request) -> Response:
        """Exchange address and password for a login token."""
        login = log_in(Actor.behind(request), **_asked(LoginSerializer, request))
        return Response(SessionSerializer(login).data)


class Logout(Door):
    """`/auth/logout/`."""

    unkeyed = frozenset({"create"})

    @extend_schema(request=None, responses={204: None})
    def create(self, request: Request) -> Response:
        """Give back the token that this request came with."""
        log_out(Actor.behind(request), access.caller(request), request.auth)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Me(Door):
    """`/auth/me/`: the caller."""

    serializer_class = MeSerializer
    outside = frozenset({"update", "partial_update"})  # as above, where the address changes

    def retrieve(self, request: Request) -> Response:
        """Tell who the caller is, and in which organizations with which role."""
        return Response(self.get_serializer(access.caller(request)).data)

    @extend_schema(responses={200: MeSerializer, **UNCONFIRMED})
    def update(self, request: Request) -> Response:
        """Replace the caller's names; the address only if it is given, with the password."""
        return self._changed(request, partial=False)

    @extend_schema(responses={200: MeSerializer, **UNCONFIRMED})
    def partial_update(self, request: Request) -> Response:
        """Change what is named of the caller; the address only with the password."""
        return self._changed(request, partial=True)

    def _changed(self, request: Request, *, partial: bool) -> Response:
        user = access.caller(request)
        asked = self.get_serializer(user, data=request.data, partial=partial)
        asked.is_valid(raise_exception=True)
        changed = change_account(Actor.behind(request), user, **asked.validated_data)
        with seeing():
            return Response(self.get_serializer(changed).data)


class MyOrganizations(Door):
    """`/auth/me/orgs/`: where the caller is a member."""

    serializer_class = MembershipSerializer
    pagination_class = Numbered

    def list(self, request: Request) -> Response:
        """List the caller's organizations with their role in each."""
        page = self.paginate_queryset(_mine(request))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=JoinSerializer, responses={201: MembershipSerializer})
    def create(self, request: Request) -> Response:
        """Found an organization by its `name`, or join one by an `invitation` to it."""
        access.caller(request)
        actor, asked = Actor.behind(request), _asked(JoinSerializer, request)
        if "name" in asked:
            place = create_organization(actor, asked["name"]).id
        else:
            place = redeem(actor, asked["invitation"]).organization_id
        mine = access.one(_mine(request), organization=place)
        return Response(MembershipSerializer(mine).data, status=status.HTTP_201_CREATED)


class Password(Door):
    """`/auth/me/password/`."""

    outside = frozenset({"create"})  # as above
    unkeyed = frozenset({"create"})

    @extend_schema(request=NewPasswordSerializer, responses={204: None, **UNCONFIRMED})
    def create(self, request: Request) -> Response:
        """Set a new password; every other device has to log in again."""
        asked = _asked(NewPasswordSerializer, request)
        words = asked["password"], asked["new_password"]
        change_password(Actor.behind(request), access.caller(request), request.auth, *words)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _asked(serializer: type[serializers.BaseSerializer[Any]], request: Request) -> dict[str, Any]:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _mine(request: Request) -> Any:
    return access.memberships(access.caller(request)).order_by("organization__name", "id")
