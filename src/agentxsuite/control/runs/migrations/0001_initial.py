import django.db.models.deletion
import django.utils.timezone
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("agents", "0001_initial"),
        ("catalog", "0001_initial"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
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
            options={
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="run_newest"),
                    models.Index(fields=["agent", "-id"], name="run_of_agent"),
                    models.Index(fields=["tool", "-id"], name="run_of_tool"),
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "running"])),
                        fields=["worker_id"],
                        name="run_unfinished",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["pending", "running", "succeeded", "failed"])
                        ),
                        name="runs_run_status_known",
                    ),
                    models.CheckConstraint(
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
                    models.CheckConstraint(
                        condition=models.Q(("timeout_seconds__gt", 0)),
                        name="runs_run_timeout_positive",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
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
            options={
                "indexes": [models.Index(fields=["run", "id"], name="step_of_run")],
            },
        ),
    ]
