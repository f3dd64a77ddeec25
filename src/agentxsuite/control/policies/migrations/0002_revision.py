from django.db import migrations

from agentxsuite.control.tenancy.triggers import BumpsRevision


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0001_initial"),
        ("tenancy", "0002_revision"),
    ]

    operations = [
        BumpsRevision(
            "Policy", "policy", environment="changed.environment_id", ignoring=("updated_at",)
        ),
        BumpsRevision(
            "PolicyRule",
            "policy",
            subject="changed.policy_id",
            organization="parent.organization_id",
            environment="parent.environment_id",
            join="JOIN policies_policy AS parent ON parent.id = changed.policy_id",
        ),
        BumpsRevision(
            "PolicyBinding",
            "policy",
            subject="changed.policy_id",
            organization="parent.organization_id",
            environment="parent.environment_id",
            join="JOIN policies_policy AS parent ON parent.id = changed.policy_id",
        ),
    ]
