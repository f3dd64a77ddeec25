"""Policies, rules, bindings and versions as the REST API takes and shows them."""

from functools import cached_property
from typing import Any, Self, TypeVar

from django.db.models import Model
from rest_framework import serializers

from agentxsuite.control.policies.models import (
    Effect,
    Policy,
    PolicyBinding,
    PolicyRule,
    PolicyVersion,
    ScopeType,
)
from agentxsuite.control.policies.rendering import in_order, rendered_rule
from agentxsuite.control.rest.serializers import Choice, OwnRow, StrictModelSerializer
from agentxsuite.control.tenancy.models import Environment, User

Part = TypeVar("Part", bound=Model)

RULE = ["name", "position", "action", "target", "effect", "conditions", "terms", "message"]
BINDING = ["scope_type", "scope_id", "priority"]


def terms() -> serializers.DictField:
    """Return a field that takes what an allow demands of a call."""
    child = serializers.JSONField(allow_null=True)
    return serializers.DictField(child=child, default=dict)


class Whole(StrictModelSerializer[Part]):
    """Is whole also where the row around it is only partly named, as by PATCH."""

    @cached_property
    def alone(self) -> Self:
        """The same without anything around it."""
        return type(self)(context=self.context)

    def to_internal_value(self, data: Any) -> Any:
        """Return the checked values; raises ValidationError."""
        if self.root is self:
            return super().to_internal_value(data)
        return self.alone.run_validation(data)


class RuleInPolicy(Whole[PolicyRule]):
    """A rule within its policy: the order of the list is the order of positions.

    With the `id` of a rule of the policy it is that rule, edited.
    """

    id = serializers.UUIDField(required=False)
    effect = Choice(choices=Effect.choices)
    conditions = serializers.JSONField(allow_null=True, default=None)
    terms = terms()
    message = serializers.CharField(allow_blank=True, default="")
    name = serializers.CharField(allow_blank=True, default="", max_length=200)

    class Meta:
        model = PolicyRule
        fields = ["id", *RULE, "created_at"]
        read_only_fields = ["position"]

    def to_representation(self, instance: PolicyRule) -> dict[str, Any]:
        """Return plain values; a page can hold ten thousand rules."""
        born = self.fields["created_at"].to_representation(instance.created_at)
        return {**rendered_rule(instance), "created_at": born}


class InOrder(serializers.ListSerializer[Any]):
    """Bindings by scope, whatever order the database has them in."""

    def to_representation(self, data: Any) -> Any:
        """Return plain values."""
        return super().to_representation(in_order(data.all()))


class BindingInPolicy(Whole[PolicyBinding]):
    """A binding within its policy, in which its scope names it."""

    scope_type = Choice(choices=ScopeType.choices)
    priority = serializers.IntegerField(default=0)

    class Meta:
        model = PolicyBinding
        fields = ["id", *BINDING, "created_at"]
        list_serializer_class = InOrder


class PolicySerializer(StrictModelSerializer[Policy]):
    """A policy with its rules and bindings; `rules_json` shows the current version as it is kept.

    A new unconditional allow of everything in an organization or environment is refused unless
    `acknowledge_broad` says that it is meant.
    """

    environment = OwnRow(Environment, allow_null=True, default=None)
    is_active = serializers.BooleanField(default=True)
    rules = RuleInPolicy(many=True, default=tuple)
    bindings = BindingInPolicy(many=True, default=tuple)
    acknowledge_broad = serializers.BooleanField(default=False, write_only=True)

    class Meta:
        model = Policy
        fields = [
            *("id", "name", "environment", "version", "is_active", "rules", "bindings"),
            *("rules_json", "acknowledge_broad", "created_at", "updated_at"),
        ]
        read_only_fields = ["version", "rules_json"]


class OfPolicy(StrictModelSerializer[Part]):
    """A part of a policy by itself; its policy is named once and stays."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; of a part that is there, the policy need not be named again."""
        fields = super().get_fields()
        if self.instance is not None and "policy" in fields:
            fields["policy"].required = False
        return fields


class RuleSerializer(OfPolicy[PolicyRule]):
    """A rule; without a `position` it is put at the end."""

    policy = serializers.UUIDField(source="policy_id")
    policy_version = serializers.IntegerField(source="policy.version", read_only=True)
    effect = Choice(choices=Effect.choices)
    position = serializers.IntegerField(min_value=0, max_value=500, required=False)
    conditions = serializers.JSONField(allow_null=True, default=None)
    terms = terms()
    message = serializers.CharField(allow_blank=True, default="")
    name = serializers.CharField(allow_blank=True, default="", max_length=200)
    acknowledge_broad = serializers.BooleanField(default=False, write_only=True)

    class Meta:
        model = PolicyRule
        fields = ["id", "policy", "policy_version", *RULE, "acknowledge_broad", "created_at"]


class NewRule(RuleSerializer):
    """A rule for the policy in the path."""

    policy = serializers.UUIDField(source="policy_id", read_only=True)


class BindingSerializer(OfPolicy[PolicyBinding]):
    """A scope in which a policy applies."""

    policy = serializers.UUIDField(source="policy_id")
    policy_version = serializers.IntegerField(source="policy.version", read_only=True)
    scope_type = Choice(choices=ScopeType.choices)
    priority = serializers.IntegerField(default=0)
    acknowledge_broad = serializers.BooleanField(default=False, write_only=True)

    class Meta:
        model = PolicyBinding
        fields = ["id", "policy", "policy_version", *BINDING, "acknowledge_broad", "created_at"]


class AuthorSerializer(serializers.ModelSerializer[User]):
    """Who wrote a version."""

    class Meta:
        model = User
        fields = ["id", "email"]


class VersionSerializer(serializers.ModelSerializer[PolicyVersion]):
    """One version of a policy, in a list of them."""

    created_by = AuthorSerializer(read_only=True, allow_null=True)

    class Meta:
        model = PolicyVersion
        fields = ["number", "created_by", "created_at"]


class WholeVersionSerializer(VersionSerializer):
    """One version of a policy with all it said."""

    class Meta(VersionSerializer.Meta):
        fields = [*VersionSerializer.Meta.fields, "rules_json"]
