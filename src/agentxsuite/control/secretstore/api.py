"""Secrets in the REST API: they are stored, listed, rotated and deleted, and never read."""

from typing import Any

from django.db.models import Max, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.rest.pages import Numbered, page
from agentxsuite.control.rest.views import WRITERS, Resource
from agentxsuite.control.secretstore import services
from agentxsuite.control.secretstore.models import Secret
from agentxsuite.control.secretstore.serializers import (
    NewSecretSerializer,
    SecretSerializer,
    SecretVersionSerializer,
    ValueSerializer,
    WholeSecretSerializer,
)
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role


class SecretFilter(filters.FilterSet):
    """By place and by purpose; `shared` are those that every environment may use."""

    environment = filters.UUIDFilter(field_name="environment_id")
    shared = filters.BooleanFilter(field_name="environment", lookup_expr="isnull")
    purpose = filters.CharFilter()


class Secrets(Resource):
    """`/orgs/{org}/secrets/`, and `/orgs/{org}/connections/store-secret/`."""

    model = Secret
    serializer_class = SecretSerializer
    filterset_class = SecretFilter
    ordering_fields = ("purpose", "created_at", "rotated_at")
    roles = {**WRITERS, "store": Role.ADMIN, "rotate": Role.ADMIN}
    lookup_field = "ref"

    def get_queryset(self) -> QuerySet[Any]:
        """Return the organization's secrets, each with its newest version's number and time."""
        newest = {"version": Max("versions__number"), "rotated_at": Max("versions__created_at")}
        rows: QuerySet[Any] = super().get_queryset().annotate(**newest)
        return rows

    def get_object(self) -> Any:
        """Return the secret in the path; raises NotFound."""
        return access.one(self.get_queryset(), ref=self.kwargs["ref"])

    @extend_schema(responses=WholeSecretSerializer)
    def retrieve(self, request: Request, **_path: Any) -> Response:  # noqa: ARG002 - the framework's
        """Show a secret: its newest versions, and everything that names it; no value."""
        return Response(WholeSecretSerializer(self.get_object()).data)

    @extend_schema(request=NewSecretSerializer, responses={201: SecretSerializer})
    def store(self, request: Request, **_path: Any) -> Response:
        """Store a value under a new `secret_ref`; nothing ever shows the value again."""
        organization = self.organization  # the caller's role is asked before the body is read
        asked = NewSecretSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        made = services.store(Actor.behind(request), organization, **asked.validated_data)
        row = self.get_queryset().get(id=made.id)
        return Response(SecretSerializer(row).data, status=status.HTTP_201_CREATED)

    def end(self, actor: Actor, row: Secret) -> None:
        """Erase a secret; 409 names what still uses it."""
        services.delete(actor, row)

    @extend_schema(responses=SecretVersionSerializer(many=True), filters=False)
    def versions(self, request: Request, **_path: Any) -> Response:
        """List the versions of a secret, newest first, without their values."""
        rows = self.get_object().versions.order_by("-number")
        return page(request, rows, SecretVersionSerializer, Numbered)

    @extend_schema(request=ValueSerializer, responses={201: SecretVersionSerializer})
    def rotate(self, request: Request, **_path: Any) -> Response:
        """Put a new value under the same ref; calls use it from the next one on."""
        secret = self.get_object()
        asked = ValueSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        number = services.rotate(Actor.behind(request), secret, asked.validated_data["value"])
        made = secret.versions.get(number=number)
        return Response(SecretVersionSerializer(made).data, status=status.HTTP_201_CREATED)
