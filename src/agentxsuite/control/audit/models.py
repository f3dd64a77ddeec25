"""Audit events: every decision, change, login and use of a credential."""

from django.db import models
from django.utils import timezone

from agentxsuite.control.tenancy.constraints import one_of
from agentxsuite.control.tenancy.evidence import Evidence, witness

EXACT, PREFIX = "uuid_ops", "varchar_pattern_ops"  # how PostgreSQL serves `subject=agent:*`


class Decision(models.TextChoices):
    """What was decided; empty where nothing had to be."""

    ALLOW = "allow"
    DENY = "deny"
    NOTHING = ""


class AuditEvent(Evidence):
    """Who did what to what, and what was decided; it outlives all of them.

    `subject` is `agent:<id>`, `user:<id>`, `client:<id>` or `anonymous`. An event without an
    organization belongs to the log of the installation.
    """

    organization = witness("tenancy.Organization", null=True)
    environment = witness("tenancy.Environment", null=True)
    event_type = models.CharField(max_length=60)
    event_data = models.JSONField(default=dict, blank=True)
    ts = models.DateTimeField(default=timezone.now)
    subject = models.CharField(max_length=255)
    action = models.CharField(max_length=200)
    target = models.CharField(max_length=1024)
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    rule_id = models.UUIDField(null=True, blank=True)
    rule_name = models.CharField(max_length=200, blank=True)
    policy_id = models.UUIDField(null=True, blank=True)
    policy_version = models.PositiveIntegerField(null=True, blank=True)
    run_id = models.UUIDField(null=True, blank=True)
    decision_id = models.UUIDField(null=True, blank=True)
    context = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="event_newest"),
            *(
                models.Index(
                    fields=["organization", column, "-id"],
                    name=f"event_by_{column}",
                    opclasses=[EXACT, PREFIX, EXACT],
                )
                for column in ("subject", "action", "target")
            ),
            models.Index(fields=["run_id"], name="event_of_run"),
            models.Index(
                fields=["organization", "-id"],
                name="event_denied",
                condition=models.Q(decision=Decision.DENY),  # few: allowed calls pay nothing for it
            ),
        ]
        constraints = [one_of("decision", Decision)]
