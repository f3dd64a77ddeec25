"""Policies and their versions in the REST API."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import BooleanFilter, CharFilter, FilterSet, NumberFilter, UUIDFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.policies import parts, services, versions
from agentxsuite.control.policies.difference import difference
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy
from agentxsuite.control.policies.preconditions import Tagged, expected_version
from agentxsuite.control.policies.serializers import (
    NewRule,
    PolicySerializer,
    RuleSerializer,
    VersionSerializer,
    WholeVersionSerializer,
)
from agentxsuite.control.problems import Invalid
from agentxsuite.control.rest.pages import Numbered, page
from agentxsuite.control.rest.serializers import Strict
from agentxsuite.control.rest.views import WRITERS, Door, Resource
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Organization, Role

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description='The version that was looked at, as its `ETag`: `"3"`. 412 for any other.',
)
AGAINST = OpenApiParameter("against", int, description="The version to compare with.")


class PolicyFilters(FilterSet):
    """What a list of policies can be narrowed to."""

    name = CharFilter()
    environment = UUIDFilter()
    is_active = BooleanFilter()
    version = NumberFilter()


class Policies(Tagged, Resource):
    """`/orgs/{org}/policies/`."""

    model = Policy
    serializer_class = PolicySerializer
    filterset_class = PolicyFilters
    ordering_fields = ("name", "version", "created_at", "updated_at")
    roles = {**WRITERS, "add_rule": Role.ADMIN}

    def get_queryset(self) -> QuerySet[Any]:
        """Return the organization's policies with their parts; raises NotFound or Forbidden."""
        return super().get_queryset().prefetch_related("rules", "bindings")

    def make(self, actor: Actor, organization: Organization, **facts: Any) -> Policy:
        """Make a policy, at once in force."""
        return services.create_policy(actor, organization, PolicyDraft(**drafted(facts)))

    def change(self, actor: Actor, row: Policy, **facts: Any) -> Policy:
        """Write the next version of a policy."""
        return services.change_policy(actor, row, drafted(facts), expected_version(self.request))

    def end(self, actor: Actor, row: Policy) -> None:
        """Take a policy out of force for good."""
        services.delete_policy(actor, row, expected_version(self.request))

    @extend_schema(parameters=[IF_MATCH])
    def update(self, request: Request, **path: Any) -> Response:
        """Replace a policy whole, its rules and bindings too, as one new version."""
        return super().update(request, **path)

    @extend_schema(parameters=[IF_MATCH])
    def partial_update(self, request: Request, **path: Any) -> Response:
        """Change what is named; rules and bindings that are named are replaced whole."""
        return super().partial_update(request, **path)

    @extend_schema(parameters=[IF_MATCH])
    def destroy(self, request: Request, **path: Any) -> Response:
        """Take a policy out of force for good; its versions stay as evidence."""
        return super().destroy(request, **path)

    @extend_schema(parameters=[IF_MATCH], request=NewRule, responses={201: RuleSerializer})
    def add_rule(self, request: Request, **_path: Any) -> Response:
        """Add a rule to a policy, as one new version of it."""
        policy = self.get_object()
        asked = NewRule(data=request.data)
        asked.is_valid(raise_exception=True)
        rule = insert_rule(request, policy, dict(asked.validated_data))
        return Response(RuleSerializer(rule).data, status=status.HTTP_201_CREATED)


class RestoreSerializer(Strict):
    """What a version is restored with."""

    acknowledge_broad = serializers.BooleanField(default=False)


class DifferenceSerializer(serializers.Serializer[Any]):
    """What `to` has that `from` had not, and the other way round."""

    changes = serializers.DictField()
    rules = serializers.DictField()
    bindings = serializers.DictField()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; `from` is a word of Python's own."""
        return {
            "from": serializers.IntegerField(),
            "to": serializers.IntegerField(),
            **super().get_fields(),
        }


class Versions(Tagged, Door):
    """`/orgs/{org}/policies/{policy}/versions/`."""

    @extend_schema(responses=VersionSerializer(many=True))
    def list(self, request: Request, org: UUID, policy: UUID) -> Response:
        """List every version of a policy, newest first."""
        rows = versions.versions_of(self._policy(org, policy))
        return page(request, rows, VersionSerializer, Numbered)

    @extend_schema(responses=WholeVersionSerializer)
    def retrieve(self, request: Request, org: UUID, policy: UUID, number: int) -> Response:  # noqa: ARG002 - the framework's
        """Show a version with all it said."""
        found = versions.version_of(self._policy(org, policy), number)
        return Response(WholeVersionSerializer(found).data)

    @extend_schema(parameters=[AGAINST], responses=DifferenceSerializer)
    def diff(self, request: Request, org: UUID, policy: UUID, number: int) -> Response:
        """Tell what a version has that another, the current one unless named, has not."""
        row = self._policy(org, policy)
        version = versions.version_of(row, number)
        other = _against(request, row)
        found = difference(other.rules_json, version.rules_json)
        return Response({"from": other.number, "to": version.number, **found})

    @extend_schema(parameters=[IF_MATCH], request=RestoreSerializer, responses=PolicySerializer)
    def restore(self, request: Request, org: UUID, policy: UUID, number: int) -> Response:
        """Write what a version said as the policy's newest version."""
        row = self._policy(org, policy, Role.ADMIN)
        version = versions.version_of(row, number)
        asked = RestoreSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        restored = versions.restore(
            Actor.behind(request), row, version, expected_version(request), **asked.validated_data
        )
        return Response(PolicySerializer(restored).data)

    def _policy(self, org: UUID, policy: UUID, least: Role = Role.VIEWER) -> Policy:
        organization = access.organization(access.caller(self.request), org, least)
        return access.one(access.live(Policy).filter(organization=organization), id=policy)


def _against(request: Request, policy: Policy) -> Any:
    asked = request.query_params.get("against", str(policy.version))
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):  # noqa: PLR2004 - 32 bits
        raise Invalid.at("/against", "This is not the number of a version.")
    found = versions.versions_of(policy).defer(None).filter(number=int(asked)).first()
    if found is None:
        raise Invalid.at("/against", "There is no such version.")
    return found


def insert_rule(request: Request, policy: Policy, facts: dict[str, Any]) -> Any:
    """Add a rule that a request asks for."""
    proviso = parts.Proviso(expected_version(request), facts.pop("acknowledge_broad", False))
    position = facts.pop("position", None)
    return parts.add_rule(Actor.behind(request), policy, RuleDraft(**facts), position, proviso)


def drafted(facts: dict[str, Any]) -> dict[str, Any]:
    """Return a policy's checked fields as those of a draft."""
    kinds = {"rules": RuleDraft, "bindings": BindingDraft}
    named = kinds.keys() & facts.keys()
    return facts | {name: tuple(kinds[name](**each) for each in facts[name]) for name in named}
