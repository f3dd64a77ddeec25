"""Connections and tools as the REST API takes and shows them."""

from typing import Any, ClassVar, Final

from rest_framework import serializers

from agentxsuite.control.catalog.models import (
    AuthMethod,
    Connection,
    ConnectionStatus,
    Tool,
    ToolDefinition,
    Verify,
)
from agentxsuite.control.rest.serializers import Choice, OwnRow, Steady, Strict
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines.upstream import mcp_name

MAX_APPROVALS: Final = 200


class ConnectionSerializer(Steady[Connection]):
    """A connection to an MCP server."""

    fixed: ClassVar[tuple[str, ...]] = ("environment", "slug")
    auth_method = Choice(choices=AuthMethod.choices, default=AuthMethod.NONE)
    auth_config = serializers.DictField(default=dict)
    secret_ref = serializers.CharField(max_length=64, allow_null=True, default=None)
    verify = Choice(choices=Verify.choices, default=Verify.ON_CHANGE)
    enabled = serializers.BooleanField(default=True)

    class Meta:
        model = Connection
        fields = [
            "id",
            "environment",
            "name",
            "slug",
            "endpoint",
            "auth_method",
            "auth_config",
            "secret_ref",
            "verify",
            "enabled",
            "status",
            "status_reason",
            "server_info",
            "last_seen_at",
            "synced_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = (
            "environment",
            "slug",
            "status",
            "status_reason",
            "server_info",
            "last_seen_at",
            "synced_at",
            "created_at",
            "updated_at",
        )


class NewConnectionSerializer(ConnectionSerializer):
    """A connection at its making, when it gets its place; its slug comes from its name."""

    fixed = ("slug",)
    environment = OwnRow(Environment)


class ProbeSerializer(serializers.Serializer[Any]):
    """What a test of a connection found."""

    status = serializers.ChoiceField(choices=ConnectionStatus.choices)
    code = serializers.CharField(allow_null=True, help_text="Why there was no answer.")
    reason = serializers.CharField(allow_blank=True)
    server_info = serializers.DictField()
    last_seen_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField()


class FindingSerializer(serializers.Serializer[Any]):
    """Something in a definition that a reviewer should look at."""

    code = serializers.CharField()
    path = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()
    tool = serializers.CharField(required=False)


class SyncSerializer(serializers.Serializer[Any]):
    """What a sync found, as names of tools."""

    added = serializers.ListField(child=serializers.CharField())
    changed = serializers.ListField(child=serializers.CharField())
    unchanged = serializers.ListField(child=serializers.CharField())
    returned = serializers.ListField(child=serializers.CharField())
    vanished = serializers.ListField(child=serializers.CharField())
    quarantined = serializers.ListField(child=serializers.CharField())
    findings = FindingSerializer(many=True)


class ToolSerializer(Steady[Tool]):
    """A tool; what it is comes from its server, whether it may be used from people."""

    fixed = (
        "connection",
        "description",
        "environment",
        "mcp_name",
        "name",
        "pending",
        "schema_json",
        "sync_status",
        "upstream_name",
        "version",
    )
    mcp_name = serializers.SerializerMethodField(help_text="What agents see it as.")
    enabled = serializers.BooleanField(default=True)
    pending = serializers.IntegerField(
        source="pending.number",
        read_only=True,
        allow_null=True,
        default=None,
        help_text="The number of the definition that waits for approval.",
    )

    class Meta:
        model = Tool
        fields = [
            "id",
            "connection",
            "environment",
            "name",
            "upstream_name",
            "mcp_name",
            "description",
            "version",
            "schema_json",
            "enabled",
            "sync_status",
            "pending",
            "synced_at",
            "created_at",
        ]
        read_only_fields = [name for name in fields if name != "enabled"]

    def get_mcp_name(self, tool: Tool) -> str:
        """Return the name of the MCP door."""
        return mcp_name(tool.name.partition("/")[0], tool.upstream_name)


class NewToolSerializer(Strict):
    """Which tool of which server to take up, or to bring back."""

    connection = OwnRow(Connection)
    upstream_name = serializers.CharField(max_length=256, trim_whitespace=False)


class LookedSerializer(Strict):
    """A tool, and the number of the definition that was looked at."""

    tool = serializers.UUIDField()
    definition = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class ApproveSerializer(Strict):
    """What to approve."""

    tools = serializers.ListField(child=LookedSerializer(), min_length=1, max_length=MAX_APPROVALS)


class ApprovalSerializer(LookedSerializer):
    """What came of one approval; `code` and `detail` say why there is none."""

    approved = serializers.BooleanField()
    name = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)


class ApprovalsSerializer(serializers.Serializer[Any]):
    """What came of each, in the order asked."""

    results = ApprovalSerializer(many=True)


class DefinitionSerializer(serializers.ModelSerializer[ToolDefinition]):
    """A definition of a tool, by its number and hash."""

    class Meta:
        model = ToolDefinition
        fields = ["number", "sha256", "created_at", "approved_at", "approved_by"]
        read_only_fields = fields


class PassageSerializer(serializers.Serializer[Any]):
    r"""Where a text differs; what cannot be seen is spelled `\u{...}`."""

    lead = serializers.CharField(allow_blank=True)
    removed = serializers.CharField(allow_blank=True)
    added = serializers.CharField(allow_blank=True)
    tail = serializers.CharField(allow_blank=True)


class ChangeSerializer(serializers.Serializer[Any]):
    """One difference between two definitions."""

    path = serializers.CharField(help_text="A JSON Pointer into the definition.")
    kind = serializers.ChoiceField(choices=["added", "removed", "changed"])
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    text = PassageSerializer(allow_null=True)


class DiffSerializer(serializers.Serializer[Any]):
    """What waits for approval, beside what is approved; without `pending` nothing waits."""

    tool = serializers.UUIDField()
    name = serializers.CharField()
    sync_status = serializers.CharField()
    approved = DefinitionSerializer(allow_null=True)
    pending = DefinitionSerializer(allow_null=True)
    changes = ChangeSerializer(many=True)
    findings = FindingSerializer(many=True)
