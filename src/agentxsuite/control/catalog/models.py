"""Connections to MCP servers, their tools, and the pinned definitions of those tools."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from agentxsuite.control.tenancy.constraints import (
    NAME,
    OwnSecret,
    SameOwner,
    WhileMember,
    one_of,
    unique,
    unique_while_live,
)
from agentxsuite.control.tenancy.entities import Mortal, Owned

SLUG = r"^[a-z][a-z0-9-]{0,30}\Z"  # \Z: a dollar would let a trailing newline through


class AuthMethod(models.TextChoices):
    """How the platform shows who it is upstream."""

    NONE = "none"
    BEARER = "bearer"
    BASIC = "basic"
    HEADER = "header"
    OAUTH2 = "oauth2"


class ConnectionStatus(models.TextChoices):
    """What the last test found."""

    UNKNOWN = "unknown"
    OK = "ok"
    FAIL = "fail"


class Verify(models.TextChoices):
    """When tool definitions are compared with what the server says."""

    ON_CHANGE = "on_change"
    EACH_CALL = "each_call"


class Connection(Mortal, Owned):
    """One MCP server, and how to reach it. The slug is for ever, even beyond deletion."""

    environment = models.ForeignKey("tenancy.Environment", on_delete=models.CASCADE)
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=31, editable=False)
    endpoint = models.CharField(max_length=2048)
    auth_method = models.CharField(max_length=10, choices=AuthMethod, default=AuthMethod.NONE)
    auth_config = models.JSONField(default=dict, blank=True)
    secret_ref = models.CharField(max_length=64, null=True, blank=True)
    verify = models.CharField(max_length=10, choices=Verify, default=Verify.ON_CHANGE)
    enabled = models.BooleanField(default=True)
    status = models.CharField(
        max_length=10, choices=ConnectionStatus, default=ConnectionStatus.UNKNOWN
    )
    status_reason = models.TextField(blank=True)
    server_info = models.JSONField(default=dict, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    synced_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            unique_while_live("organization", "environment", "name"),
            unique("environment", "slug"),
            unique("id", "environment"),
            one_of("auth_method", AuthMethod),
            one_of("status", ConnectionStatus),
            one_of("verify", Verify),
            models.CheckConstraint(condition=Q(slug__regex=SLUG), name=f"{NAME}slug_form"),
            SameOwner("environment"),
            OwnSecret("secret_ref"),
        ]

    def __str__(self) -> str:
        return self.slug


class Account(Owned):
    """A person's own account at a connection's server: what they lent us, sealed for this row.

    It goes when they leave the organization.

    `renewing_until` is the lease of the worker that asks for a new token.
    """

    environment = models.ForeignKey("tenancy.Environment", on_delete=models.CASCADE)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="accounts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    data_key = models.ForeignKey("secretstore.DataKey", on_delete=models.RESTRICT)
    sealed = models.BinaryField()
    renewing_until = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            unique("connection", "user"),
            SameOwner("environment"),
            SameOwner("connection", "environment"),
            SameOwner("data_key"),
            WhileMember("user"),
        ]


class SyncStatus(models.TextChoices):
    """Whether the approved definition is what the server still says."""

    SYNCED = "synced"
    PENDING_REVIEW = "pending_review"
    STALE = "stale"


class Tool(Mortal, Owned):
    """One tool of one connection, for ever; its definition changes only with approval.

    `version` and `schema_json` repeat what the approved `definition` says; both are empty
    while nothing has been approved yet.
    """

    environment = models.ForeignKey("tenancy.Environment", on_delete=models.CASCADE)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tools")
    name = models.CharField(max_length=512)
    upstream_name = models.CharField(max_length=256)
    description = models.TextField(blank=True)
    version = models.CharField(max_length=20, blank=True)
    schema_json = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    sync_status = models.CharField(
        max_length=20, choices=SyncStatus, default=SyncStatus.PENDING_REVIEW
    )
    synced_at = models.DateTimeField(null=True, blank=True)
    definition = models.ForeignKey(
        "ToolDefinition", on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )
    pending = models.ForeignKey(
        "ToolDefinition", on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "name", "id"],
                name="tool_by_name",
                condition=Q(deleted_at=None),
            ),
        ]
        constraints = [
            unique_while_live("organization", "environment", "name", "version"),
            unique("connection", "upstream_name"),
            unique("id", "organization"),
            one_of("sync_status", SyncStatus),
            SameOwner("environment"),
            SameOwner("connection", "environment"),
            SameOwner("definition", "tool", mine="id"),
            SameOwner("pending", "tool", mine="id"),
        ]

    def __str__(self) -> str:
        return self.name


class ToolDefinition(Owned):
    """What a server once said about a tool, whole, numbered, and pinned by its hash."""

    tool = models.ForeignKey(Tool, on_delete=models.CASCADE, related_name="definitions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    definition = models.JSONField()
    findings = models.JSONField(default=list, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        constraints = [
            unique("tool", "number"),
            unique("id", "tool"),
            SameOwner("tool"),
            models.CheckConstraint(condition=Q(number__gte=1), name=f"{NAME}number_from_one"),
        ]
