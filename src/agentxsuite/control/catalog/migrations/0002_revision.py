from django.db import migrations

from agentxsuite.control.tenancy.triggers import BumpsRevision


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("tenancy", "0002_revision"),
    ]

    operations = [
        BumpsRevision(
            "Connection",
            "connection",
            environment="changed.environment_id",
            ignoring=(
                "status",
                "status_reason",
                "server_info",
                "last_seen_at",
                "synced_at",
                "updated_at",
            ),
        ),
        BumpsRevision(
            "Tool", "tool", environment="changed.environment_id", ignoring=("synced_at",)
        ),
        BumpsRevision(
            "ToolDefinition",
            "tool",
            subject="changed.tool_id",
            organization="parent.organization_id",
            environment="parent.environment_id",
            join="JOIN catalog_tool AS parent ON parent.id = changed.tool_id",
        ),
    ]
