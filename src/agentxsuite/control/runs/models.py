"""Runs and their steps. The gateway's ledger writes them; everybody else reads.

Beside them what keeps a run's promises: the lease of the worker that runs it, and the key under
which a caller may ask for it twice.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from agentxsuite.control.tenancy.constraints import NAME, one_of
from agentxsuite.control.tenancy.entities import Owned
from agentxsuite.control.tenancy.evidence import Evidence, witness


class RunStatus(models.TextChoices):
    """How far it came."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class OutcomeCode(models.TextChoices):
    """Why it failed; null for a run that did not."""

    DENIED = "denied"
    THROTTLED = "throttled"
    INVALID = "invalid"
    TOOL_ERROR = "tool_error"
    TIMEOUT = "timeout"
    UPSTREAM_ERROR = "upstream_error"
    CANCELLED = "cancelled"
    WORKER_LOST = "worker_lost"
    OUTCOME_UNKNOWN = "outcome_unknown"


class Run(Evidence):
    """One call of one tool by one agent, from its refusal or start to its end.

    Names stand beside the references as they were at the time of the call.
    """

    organization = witness("tenancy.Organization")
    environment = witness("tenancy.Environment")
    agent = witness("agents.Agent")
    tool = witness("catalog.Tool")
    agent_name = models.CharField(max_length=200)
    tool_name = models.CharField(max_length=512)
    tool_version = models.CharField(max_length=20, blank=True)
    subject = models.CharField(max_length=255)
    run_as_user_id = models.UUIDField(null=True, blank=True)
    door = models.CharField(max_length=20)
    decision_id = models.UUIDField()
    timeout_seconds = models.FloatField()
    parent_run_id = models.UUIDField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.PENDING)
    outcome_code = models.CharField(max_length=20, choices=OutcomeCode, null=True, blank=True)
    result_type = models.CharField(max_length=40, blank=True)
    input_json = models.JSONField()
    output_json = models.JSONField(null=True, blank=True)
    error_text = models.TextField(blank=True)
    worker_id = models.UUIDField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="run_newest"),
            models.Index(fields=["agent", "-id"], name="run_of_agent"),
            models.Index(fields=["tool", "-id"], name="run_of_tool"),
            models.Index(
                fields=["worker_id"],
                name="run_unfinished",
                condition=Q(status__in=["pending", "running"]),
            ),
        ]
        constraints = [
            one_of("status", RunStatus),
            one_of("outcome_code", OutcomeCode),
            models.CheckConstraint(
                condition=Q(timeout_seconds__gt=0), name=f"{NAME}timeout_positive"
            ),
        ]


class RunStep(Evidence):
    """Something that happened within a run."""

    run = witness("runs.Run")
    organization = witness("tenancy.Organization")
    step_type = models.CharField(max_length=40)
    message = models.TextField(blank=True)
    details = models.JSONField(default=dict, blank=True)
    timestamp = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["run", "id"], name="step_of_run")]


class Worker(models.Model):
    """The lease of one process that runs tools: one row, one heartbeat for all its runs.

    A worker that stops in order takes its row away; a row whose heartbeat is old is a dead
    worker's, and its runs are closed by the others.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    host = models.CharField(max_length=255)
    process = models.PositiveIntegerField()
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.host}:{self.process}"


class IdempotencyKey(Owned):
    """A caller's promise that requests with this key are one request; kept for 24 hours.

    `digest` is the SHA-256 of what was asked. The outcome is that of the run.
    """

    principal = models.CharField(max_length=255)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    run_id = models.UUIDField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="key_oldest"),
            models.Index(fields=["run_id"], name="key_of_run"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "principal", "method", "path", "key"],
                name=f"{NAME}one_key",
            ),
        ]
