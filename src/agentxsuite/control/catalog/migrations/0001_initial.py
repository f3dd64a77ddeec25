import agentxsuite.control.tenancy.constraints
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("secretstore", "0001_initial"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Connection",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("name", models.CharField(max_length=200)),
                ("slug", models.CharField(editable=False, max_length=31)),
                ("endpoint", models.CharField(max_length=2048)),
                (
                    "auth_method",
                    models.CharField(
                        choices=[
                            ("none", "None"),
                            ("bearer", "Bearer"),
                            ("basic", "Basic"),
                            ("header", "Header"),
                            ("oauth2", "Oauth2"),
                        ],
                        default="none",
                        max_length=10,
                    ),
                ),
                ("auth_config", models.JSONField(blank=True, default=dict)),
                ("secret_ref", models.CharField(blank=True, max_length=64, null=True)),
                (
                    "verify",
                    models.CharField(
                        choices=[("on_change", "On Change"), ("each_call", "Each Call")],
                        default="on_change",
                        max_length=10,
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("unknown", "Unknown"), ("ok", "Ok"), ("fail", "Fail")],
                        default="unknown",
                        max_length=10,
                    ),
                ),
                ("status_reason", models.TextField(blank=True)),
                ("server_info", models.JSONField(blank=True, default=dict)),
                ("last_seen_at", models.DateTimeField(blank=True, null=True)),
                ("synced_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.environment"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)),
                        fields=("organization", "environment", "name"),
                        name="catalog_connection_live_name",
                    ),
                    models.UniqueConstraint(
                        fields=("environment", "slug"),
                        name="catalog_connection_one_environment_slug",
                    ),
                    models.UniqueConstraint(
                        fields=("id", "environment"), name="catalog_connection_one_id_environment"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("auth_method__in", ["none", "bearer", "basic", "header", "oauth2"])
                        ),
                        name="catalog_connection_auth_method_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["unknown", "ok", "fail"])),
                        name="catalog_connection_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("verify__in", ["on_change", "each_call"])),
                        name="catalog_connection_verify_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("slug__regex", "^[a-z][a-z0-9-]{0,30}\\Z")),
                        name="catalog_connection_slug_form",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "environment",
                        "organization",
                        mine="organization",
                        name="catalog_connection_environment_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.OwnSecret(
                        "secret_ref",
                        "organization",
                        mine="organization",
                        name="catalog_connection_secret_ref_same_organization",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tool",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("name", models.CharField(max_length=512)),
                ("upstream_name", models.CharField(max_length=256)),
                ("description", models.TextField(blank=True)),
                ("version", models.CharField(blank=True, max_length=20)),
                ("schema_json", models.JSONField(blank=True, default=dict)),
                ("enabled", models.BooleanField(default=True)),
                (
                    "sync_status",
                    models.CharField(
                        choices=[
                            ("synced", "Synced"),
                            ("pending_review", "Pending Review"),
                            ("stale", "Stale"),
                        ],
                        default="pending_review",
                        max_length=20,
                    ),
                ),
                ("synced_at", models.DateTimeField(blank=True, null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tools",
                        to="catalog.connection",
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.environment"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)),
                        fields=("organization", "environment", "name", "version"),
                        name="catalog_tool_live_version",
                    ),
                    models.UniqueConstraint(
                        fields=("connection", "upstream_name"),
                        name="catalog_tool_one_connection_upstream_name",
                    ),
                    models.UniqueConstraint(
                        fields=("id", "organization"), name="catalog_tool_one_id_organization"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sync_status__in", ["synced", "pending_review", "stale"])
                        ),
                        name="catalog_tool_sync_status_known",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "environment",
                        "organization",
                        mine="organization",
                        name="catalog_tool_environment_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "connection",
                        "environment",
                        mine="environment",
                        name="catalog_tool_connection_same_environment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ToolDefinition",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("definition", models.JSONField()),
                ("findings", models.JSONField(blank=True, default=list)),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
                (
                    "tool",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="definitions",
                        to="catalog.tool",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tool", "number"), name="catalog_tooldefinition_one_tool_number"
                    ),
                    models.UniqueConstraint(
                        fields=("id", "tool"), name="catalog_tooldefinition_one_id_tool"
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "tool",
                        "organization",
                        mine="organization",
                        name="catalog_tooldefinition_tool_same_organization",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)),
                        name="catalog_tooldefinition_number_from_one",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="tool",
            name="definition",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="catalog.tooldefinition",
            ),
        ),
        migrations.AddField(
            model_name="tool",
            name="pending",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="catalog.tooldefinition",
            ),
        ),
        migrations.AddConstraint(
            model_name="tool",
            constraint=agentxsuite.control.tenancy.constraints.SameOwner(
                "definition", "tool", mine="id", name="catalog_tool_definition_same_tool"
            ),
        ),
        migrations.AddConstraint(
            model_name="tool",
            constraint=agentxsuite.control.tenancy.constraints.SameOwner(
                "pending", "tool", mine="id", name="catalog_tool_pending_same_tool"
            ),
        ),
    ]
