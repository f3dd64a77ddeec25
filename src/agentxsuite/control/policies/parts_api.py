"""Rules and bindings in the REST API, of all the policies that a caller may see."""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django_filters import CharFilter, FilterSet, NumberFilter, UUIDFilter
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.policies import parts
from agentxsuite.control.policies.api import IF_MATCH, insert_rule
from agentxsuite.control.policies.drafts import BindingDraft
from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule
from agentxsuite.control.policies.preconditions import Tagged, expected_version
from agentxsuite.control.policies.serializers import BindingSerializer, RuleSerializer
from agentxsuite.control.problems import Invalid, NotFound
from agentxsuite.control.rest.views import Resource
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role


class Parts(Tagged, Resource):
    """What policies are made of; the organization is that of the policy."""

    related = ("policy",)

    @cached_property
    def least(self) -> Role:
        """The role that the action needs."""
        return self.roles.get(self.action, Role.VIEWER)

    def get_queryset(self) -> QuerySet[Any]:
        """Return the parts of all live policies that the caller may read."""
        user = access.caller(self.request)
        readers = access.SUFFICES[Role.VIEWER]
        where = access.memberships(user).filter(role__in=readers).values("organization")
        return living(self.model).filter(organization__in=where)

    def get_object(self) -> Any:
        """Return the part in the path; raises NotFound or Forbidden."""
        rows = living(self.model)
        return access.within(
            access.caller(self.request), rows, self.kwargs[self.lookup_field], self.least
        )

    def get_serializer_context(self) -> dict[str, Any]:
        """Return nothing of an organization: no field names a row of it."""
        return dict(super(Resource, self).get_serializer_context())

    def create(self, request: Request, **_path: Any) -> Response:
        """Add a part to the policy named, as one new version of it."""
        access.caller(request)
        asked = self.asked(request)
        row = self.insert(request, self.policy(asked.pop("policy_id")), asked)
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(parameters=[IF_MATCH])
    def update(self, request: Request, **path: Any) -> Response:
        """Replace a part, as one new version of its policy."""
        return super().update(request, **path)

    @extend_schema(parameters=[IF_MATCH])
    def partial_update(self, request: Request, **path: Any) -> Response:
        """Change what is named of a part, as one new version of its policy."""
        return super().partial_update(request, **path)

    @extend_schema(parameters=[IF_MATCH])
    def destroy(self, request: Request, **path: Any) -> Response:
        """Take a part out, as one new version of its policy."""
        return super().destroy(request, **path)

    def insert(self, request: Request, policy: Policy, facts: dict[str, Any]) -> Model:
        """Add a part to a policy; raises a Problem."""
        raise NotImplementedError

    def policy(self, policy_id: UUID) -> Policy:
        """Return the policy that a body names; raises Invalid or Forbidden."""
        try:
            return access.within(access.caller(self.request), Policy, policy_id, self.least)
        except NotFound:
            raise Invalid.at("/policy", "There is no such policy.") from None

    def proviso(self, row: Any, facts: dict[str, Any]) -> parts.Proviso:
        """Take out of the fields what they are written with; raises Invalid."""
        if facts.pop("policy_id", row.policy_id) != row.policy_id:
            raise Invalid.at("/policy", "A rule or binding stays with its policy.")
        broad = facts.pop("acknowledge_broad", False)
        return parts.Proviso(expected_version(self.request), broad)


class RuleFilters(FilterSet):
    """What a list of rules can be narrowed to."""

    policy = UUIDFilter()
    environment = UUIDFilter(field_name="policy__environment")
    organization = UUIDFilter()
    name = CharFilter()
    action = CharFilter()
    target = CharFilter()
    effect = CharFilter(lookup_expr="iexact")


@extend_schema_view(
    create=extend_schema(parameters=[IF_MATCH], responses={201: RuleSerializer, 403: None})
)
class Rules(Parts):
    """`/policies/rules/`."""

    model = PolicyRule
    serializer_class = RuleSerializer
    filterset_class = RuleFilters
    ordering_fields = ("position", "name", "action", "target", "created_at")

    def insert(self, request: Request, policy: Policy, facts: dict[str, Any]) -> PolicyRule:
        """Add a rule."""
        rule: PolicyRule = insert_rule(request, policy, facts)
        return rule

    def change(self, actor: Actor, row: PolicyRule, **facts: Any) -> PolicyRule:
        """Change a rule."""
        proviso = self.proviso(row, facts)
        return parts.change_rule(actor, row, facts, proviso)

    def end(self, actor: Actor, row: PolicyRule) -> None:
        """Take a rule out."""
        parts.remove_rule(actor, row, self.proviso(row, {}))


class BindingFilters(FilterSet):
    """What a list of bindings can be narrowed to."""

    policy = UUIDFilter()
    environment = UUIDFilter(field_name="policy__environment")
    organization = UUIDFilter()
    scope_type = CharFilter(lookup_expr="iexact")
    scope_id = CharFilter()
    priority = NumberFilter()


@extend_schema_view(
    create=extend_schema(parameters=[IF_MATCH], responses={201: BindingSerializer, 403: None})
)
class Bindings(Parts):
    """`/policies/bindings/`."""

    model = PolicyBinding
    serializer_class = BindingSerializer
    filterset_class = BindingFilters
    ordering_fields = ("scope_type", "scope_id", "priority", "created_at")

    def insert(self, request: Request, policy: Policy, facts: dict[str, Any]) -> PolicyBinding:
        """Add a binding."""
        proviso = parts.Proviso(expected_version(request), facts.pop("acknowledge_broad"))
        return parts.add_binding(Actor.behind(request), policy, BindingDraft(**facts), proviso)

    def change(self, actor: Actor, row: PolicyBinding, **facts: Any) -> PolicyBinding:
        """Change a binding."""
        proviso = self.proviso(row, facts)
        return parts.change_binding(actor, row, facts, proviso)

    def end(self, actor: Actor, row: PolicyBinding) -> None:
        """Take a binding out."""
        parts.remove_binding(actor, row, self.proviso(row, {}))


def living(model: type[Model]) -> QuerySet[Any]:
    """Return the parts of policies that nobody has deleted, nor the environment they are for."""
    here = Q(policy__environment=None) | Q(policy__environment__deleted_at=None)
    rows: QuerySet[Any] = QuerySet(model).select_related("policy")
    return rows.filter(here, policy__deleted_at=None)
