import django.db.models.deletion
import django.utils.timezone
import uuid_utils.compat
from django.db import migrations, models

from agentxsuite.control.storage.partitions import CreateEvidence


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        CreateEvidence(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("event_type", models.CharField(max_length=60)),
                ("event_data", models.JSONField(blank=True, default=dict)),
                ("ts", models.DateTimeField(default=django.utils.timezone.now)),
                ("subject", models.CharField(max_length=255)),
                ("action", models.CharField(max_length=200)),
                ("target", models.CharField(max_length=1024)),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("allow", "Allow"), ("deny", "Deny"), ("", "Nothing")],
                        max_length=10,
                    ),
                ),
                ("rule_id", models.UUIDField(blank=True, null=True)),
                ("rule_name", models.CharField(blank=True, max_length=200)),
                ("policy_id", models.UUIDField(blank=True, null=True)),
                ("policy_version", models.PositiveIntegerField(blank=True, null=True)),
                ("run_id", models.UUIDField(blank=True, null=True)),
                ("decision_id", models.UUIDField(blank=True, null=True)),
                ("context", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.environment",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="event_newest"),
                    models.Index(
                        fields=["organization", "subject", "-id"],
                        name="event_by_subject",
                        opclasses=["uuid_ops", "varchar_pattern_ops", "uuid_ops"],
                    ),
                    models.Index(
                        fields=["organization", "action", "-id"],
                        name="event_by_action",
                        opclasses=["uuid_ops", "varchar_pattern_ops", "uuid_ops"],
                    ),
                    models.Index(
                        fields=["organization", "target", "-id"],
                        name="event_by_target",
                        opclasses=["uuid_ops", "varchar_pattern_ops", "uuid_ops"],
                    ),
                    models.Index(fields=["run_id"], name="event_of_run"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("decision__in", ["allow", "deny", ""])),
                        name="audit_auditevent_decision_known",
                    )
                ],
            },
        ),
    ]
