"""Agents, service accounts and tokens as the REST API takes and shows them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rest_framework import serializers

from agentxsuite.control.agents.models import (
    Agent,
    InboundAuthMethod,
    IssuedToken,
    Mode,
    ServiceAccount,
)
from agentxsuite.control.agents.tokens import (
    DEFAULT_SCOPES,
    DEFAULT_TTL,
    MAX_SCOPES,
    MAX_TTL,
    SCOPE,
)
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.catalog.serializers import ProbeSerializer
from agentxsuite.control.policies.models import Policy
from agentxsuite.control.rest.serializers import Choice, OwnRow, Steady, Strict
from agentxsuite.control.tenancy.models import Environment

MAX_WORDS: Final = 50
SLUG: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]*\Z"
ISSUER: Final = r"^https?://[^\s?#@]+\Z"


def words(**kwargs: Any) -> serializers.ListField:
    """Return a field that takes a list of short texts; none unless told."""
    child = serializers.CharField(max_length=64)
    return serializers.ListField(child=child, max_length=MAX_WORDS, default=list, **kwargs)


def scopes(**kwargs: Any) -> serializers.ListField:
    """Return a field that takes names of actions."""
    child = serializers.RegexField(rf"^{SCOPE.pattern}\Z")
    return serializers.ListField(child=child, max_length=MAX_SCOPES, **kwargs)


class AgentSerializer(Steady[Agent]):
    """An agent."""

    fixed = ("environment", "slug")
    environment = OwnRow(Environment)
    connection = OwnRow(Connection, allow_null=True, default=None)
    service_account = OwnRow(ServiceAccount, allow_null=True, default=None)
    slug = serializers.RegexField(SLUG, max_length=100, allow_blank=True, default="")
    mode = Choice(choices=Mode.choices, default=Mode.CALLER)
    inbound_auth_method = Choice(
        choices=InboundAuthMethod.choices, default=InboundAuthMethod.BEARER
    )
    capabilities = words()
    tags = words()

    class Meta:
        model = Agent
        fields = [
            "id",
            "environment",
            "name",
            "slug",
            "mode",
            "enabled",
            "connection",
            "inbound_auth_method",
            "service_account",
            "bearer_secret_ref",
            "inbound_secret_ref",
            "mtls_cert_ref",
            "mtls_key_ref",
            "capabilities",
            "tags",
            "created_at",
        ]
        extra_kwargs: ClassVar[Mapping[str, Mapping[str, Any]]] = {
            "enabled": {"default": True},
            "bearer_secret_ref": {"default": None},
            "inbound_secret_ref": {"default": None},
            "mtls_cert_ref": {"default": None},
            "mtls_key_ref": {"default": None},
        }


class ServiceAccountSerializer(Steady[ServiceAccount]):
    """A login for an agent: at an outside issuer, or at ours where none is named."""

    fixed = ("environment", "issuer", "subject")
    environment = OwnRow(Environment, allow_null=True, default=None)
    issuer = serializers.RegexField(ISSUER, max_length=500, allow_blank=True, default="")
    scope_allowlist = scopes(default=list, help_text="No scope named: every scope.")

    class Meta:
        model = ServiceAccount
        fields = [
            "id",
            "environment",
            "name",
            "issuer",
            "subject",
            "audience",
            "credential_ref",
            "scope_allowlist",
            "enabled",
            "created_at",
        ]
        extra_kwargs: ClassVar[Mapping[str, Mapping[str, Any]]] = {
            "subject": {"default": "", "allow_blank": True, "required": False},
            "audience": {"default": ""},
            "credential_ref": {"default": None},
            "enabled": {"default": True},
        }


class TokenSerializer(serializers.ModelSerializer[IssuedToken]):
    """What is known of a token; the token itself is not kept."""

    class Meta:
        model = IssuedToken
        fields = [
            "id",
            "jti",
            "name",
            "agent",
            "environment",
            "scopes",
            "metadata",
            "expires_at",
            "revoked_at",
            "revoked_by",
            "created_at",
        ]
        read_only_fields = fields


class NewTokenSerializer(TokenSerializer):
    """A token at the moment of its issue, the only time that it is shown."""

    token = serializers.CharField(read_only=True)
    mcp_url = serializers.CharField(read_only=True, help_text="The address it is good for.")

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token", "mcp_url"]
        read_only_fields = fields


class IssueSerializer(Strict):
    """What a token is asked for with."""

    name = serializers.CharField(max_length=200, default="", allow_blank=True)
    ttl_seconds = serializers.IntegerField(min_value=1, max_value=MAX_TTL, default=DEFAULT_TTL)
    scopes = scopes(min_length=1, default=list(DEFAULT_SCOPES))


class PingedConnectionSerializer(ProbeSerializer):
    """An agent's connection, and what a test of it found just now."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    enabled = serializers.BooleanField()


class PingSerializer(serializers.Serializer[Any]):
    """How an agent stands."""

    agent = serializers.UUIDField()
    enabled = serializers.BooleanField(help_text="It and its service account.")
    reason = serializers.CharField(allow_blank=True, help_text="Why it is not enabled.")
    mode = serializers.ChoiceField(choices=Mode.choices)
    connection = PingedConnectionSerializer(allow_null=True)


class AxcoreSerializer(Strict):
    """What a complete agent is asked for with: its name, its place, what it may do there."""

    environment = OwnRow(Environment)
    name = serializers.CharField(max_length=90, help_text="Of the agent; unique in its place.")
    slug = serializers.RegexField(SLUG, max_length=100, allow_blank=True, default="")
    targets = serializers.ListField(
        child=serializers.CharField(max_length=1024),
        min_length=1,
        max_length=MAX_WORDS,
        help_text="What it may use, such as `tool:pdf/*`.",
    )
    actions = scopes(min_length=1, default=list(DEFAULT_SCOPES))
    ttl_seconds = serializers.IntegerField(min_value=1, max_value=MAX_TTL, default=DEFAULT_TTL)
    tags = words()
    capabilities = words()


class NewPolicySerializer(serializers.ModelSerializer[Policy]):
    """The policy of a complete agent."""

    class Meta:
        model = Policy
        fields = ["id", "name", "version"]
        read_only_fields = fields


class NewAxcoreSerializer(serializers.Serializer[Any]):
    """Everything that was made; the token is shown this once."""

    service_account = ServiceAccountSerializer()
    agent = AgentSerializer()
    policy = NewPolicySerializer()
    token = NewTokenSerializer()
