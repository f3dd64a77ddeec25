"""Policies: rules, the scopes they are bound to, and every version they ever had."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from agentxsuite.control.tenancy.constraints import (
    NAME,
    SameOwner,
    one_of,
    unique,
    unique_while_live,
)
from agentxsuite.control.tenancy.entities import Mortal, Owned


class Policy(Mortal, Owned):
    """A named set of rules. Its rules are the truth, `rules_json` shows the current version."""

    environment = models.ForeignKey(
        "tenancy.Environment", on_delete=models.CASCADE, null=True, blank=True
    )
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1)
    is_active = models.BooleanField(default=True)
    rules_json = models.JSONField(default=list, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            unique_while_live("organization", "name"),
            unique("id", "organization"),
            models.CheckConstraint(condition=Q(version__gte=1), name=f"{NAME}version_from_one"),
            SameOwner("environment"),
        ]

    def __str__(self) -> str:
        return self.name


class Effect(models.TextChoices):
    """What a match means."""

    ALLOW = "allow"
    DENY = "deny"


class PolicyRule(Owned):
    """One allow or deny of actions on targets, under conditions, on terms."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField(default=0)
    action = models.CharField(max_length=200)
    target = models.CharField(max_length=1024)
    effect = models.CharField(max_length=10, choices=Effect)
    conditions = models.JSONField(null=True, blank=True)
    terms = models.JSONField(default=dict, blank=True)
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [one_of("effect", Effect), SameOwner("policy")]


class ScopeType(models.TextChoices):
    """What kind of thing `scope_id` names."""

    ORG = "org"
    ENV = "env"
    AGENT = "agent"
    TOOL = "tool"
    ROLE = "role"
    USER = "user"
    RESOURCE_NS = "resource_ns"


class PolicyBinding(Owned):
    """A scope in which a policy applies."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="bindings")
    scope_type = models.CharField(max_length=20, choices=ScopeType)
    scope_id = models.CharField(max_length=512)
    priority = models.IntegerField(default=0)

    class Meta:
        constraints = [
            unique("policy", "scope_type", "scope_id"),
            one_of("scope_type", ScopeType),
            SameOwner("policy"),
        ]


class PolicyVersion(Owned):
    """What a policy said between two writes."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    rules_json = models.JSONField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            unique("policy", "number"),
            models.CheckConstraint(condition=Q(number__gte=1), name=f"{NAME}number_from_one"),
            SameOwner("policy"),
        ]
