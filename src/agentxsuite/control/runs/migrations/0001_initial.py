import django.db.models.deletion
import django.utils.timezone
import uuid
import uuid_utils.compat
from django.db import migrations, models

from agentxsuite.control.storage.partitions import CreateEvidence


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("agents", "0002_revision"),
        ("catalog", "0002_revision"),
        ("tenancy", "0002_revision"),
    ]

    operations = [
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=255)),
                ("process", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("heartbeat_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        CreateEvidence(
            name="Run",
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
                ("agent_name", models.CharField(max_length=200)),
                ("tool_name", models.CharField(max_length=512)),
                ("tool_version", models.CharField(blank=True, max_length=20)),
                ("subject", models.CharField(max_length=255)),
                ("run_as_user_id", models.UUIDField(blank=True, null=True)),
                ("door", models.CharField(max_length=20)),
                ("decision_id", models.UUIDField()),
                ("timeout_seconds", models.FloatField()),
                ("parent_run_id", models.UUIDField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                (
                    "outcome_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("denied", "Denied"),
                            ("throttled", "Throttled"),
                            ("invalid", "Invalid"),
                            ("tool_error", "Tool Error"),
                            ("timeout", "Timeout"),
                            ("upstream_error", "Upstream Error"),
                            ("cancelled", "Cancelled"),
                            ("worker_lost", "Worker Lost"),
                            ("outcome_unknown", "Outcome Unknown"),
                        ],
                        max_length=20,
                        null=True,
                    ),
                ),
                ("result_type", models.CharField(blank=True, max_length=40)),
                ("input_json", models.JSONField()),
                ("output_json", models.JSONField(blank=True, null=True)),
                ("error_text", models.TextField(blank=True)),
                ("worker_id", models.UUIDField(blank=True, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("dispatched_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "agent",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="agents.agent",
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.environment",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.organization",
                    ),
                ),
                (
                    "tool",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.tool",
                    ),
                ),
            ],
        ),
        CreateEvidence(
            name="RunStep",
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
                ("step_type", models.CharField(max_length=40)),
                ("message", models.TextField(blank=True)),
                ("details", models.JSONField(blank=True, default=dict)),
                ("timestamp", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.organization",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="runs.run",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
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
                ("principal", models.CharField(max_length=255)),
                ("method", models.CharField(max_length=10)),
                ("path", models.CharField(max_length=500)),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                ("run_id", models.UUIDField(blank=True, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["created_at"], name="key_oldest"),
                    models.Index(fields=["run_id"], name="key_of_run"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "principal", "method", "path", "key"),
                        name="runs_idempotencykey_one_key",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["organization", "-id"], name="run_newest"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["agent", "-id"], name="run_of_agent"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["tool", "-id"], name="run_of_tool"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("status__in", ["pending", "running"])),
                fields=["worker_id"],
                name="run_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "running", "succeeded", "failed"])),
                name="runs_run_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome_code__in",
                        [
                            "denied",
                            "throttled",
                            "invalid",
                            "tool_error",
                            "timeout",
                            "upstream_error",
                            "cancelled",
                            "worker_lost",
                            "outcome_unknown",
                        ],
                    )
                ),
                name="runs_run_outcome_code_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(("timeout_seconds__gt", 0)), name="runs_run_timeout_positive"
            ),
        ),
        migrations.AddIndex(
            model_name="runstep",
            index=models.Index(fields=["run", "id"], name="step_of_run"),
        ),
    ]
