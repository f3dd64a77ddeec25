import agentxsuite.control.tenancy.constraints
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Policy",
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
                ("version", models.PositiveIntegerField(default=1)),
                ("is_active", models.BooleanField(default=True)),
                ("rules_json", models.JSONField(blank=True, default=list, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="tenancy.environment",
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
                        fields=("organization", "name"),
                        name="policies_policy_live_name",
                    ),
                    models.UniqueConstraint(
                        fields=("id", "organization"), name="policies_policy_one_id_organization"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)),
                        name="policies_policy_version_from_one",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "environment",
                        "organization",
                        mine="organization",
                        name="policies_policy_environment_same_organization",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicyBinding",
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
                (
                    "scope_type",
                    models.CharField(
                        choices=[
                            ("org", "Org"),
                            ("env", "Env"),
                            ("agent", "Agent"),
                            ("tool", "Tool"),
                            ("role", "Role"),
                            ("user", "User"),
                            ("resource_ns", "Resource Ns"),
                        ],
                        max_length=20,
                    ),
                ),
                ("scope_id", models.CharField(max_length=512)),
                ("priority", models.IntegerField(default=0)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bindings",
                        to="policies.policy",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("policy", "scope_type", "scope_id"),
                        name="policies_policybinding_one_policy_scope_type_scope_id",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "scope_type__in",
                                ["org", "env", "agent", "tool", "role", "user", "resource_ns"],
                            )
                        ),
                        name="policies_policybinding_scope_type_known",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "policy",
                        "organization",
                        mine="organization",
                        name="policies_policybinding_policy_same_organization",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicyRule",
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
                ("name", models.CharField(blank=True, max_length=200)),
                ("position", models.PositiveIntegerField(default=0)),
                ("action", models.CharField(max_length=200)),
                ("target", models.CharField(max_length=1024)),
                (
                    "effect",
                    models.CharField(choices=[("allow", "Allow"), ("deny", "Deny")], max_length=10),
                ),
                ("conditions", models.JSONField(blank=True, null=True)),
                ("terms", models.JSONField(blank=True, default=dict)),
                ("message", models.TextField(blank=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="policies.policy",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("effect__in", ["allow", "deny"])),
                        name="policies_policyrule_effect_known",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "policy",
                        "organization",
                        mine="organization",
                        name="policies_policyrule_policy_same_organization",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicyVersion",
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
                ("rules_json", models.JSONField()),
                (
                    "created_by",
                    models.ForeignKey(
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
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="policies.policy",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("policy", "number"), name="policies_policyversion_one_policy_number"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)),
                        name="policies_policyversion_number_from_one",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "policy",
                        "organization",
                        mine="organization",
                        name="policies_policyversion_policy_same_organization",
                    ),
                ],
            },
        ),
    ]
