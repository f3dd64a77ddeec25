"""Agents, the service accounts they log in with, and the tokens issued to them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from agentxsuite.control.tenancy.constraints import (
    NAME,
    OwnSecret,
    SameOwner,
    one_of,
    unique,
    unique_while_live,
)
from agentxsuite.control.tenancy.entities import Mortal, Owned


def secret_ref() -> "models.CharField[str | None, str | None]":
    """Return a column that names a secret of the same organization."""
    return models.CharField(max_length=64, null=True, blank=True)


class ServiceAccount(Mortal, Owned):
    """A login at some issuer; (issuer, subject) names it for ever, even beyond deletion."""

    environment = models.ForeignKey(
        "tenancy.Environment", on_delete=models.CASCADE, null=True, blank=True
    )
    name = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)
    issuer = models.CharField(max_length=500)
    audience = models.CharField(max_length=500, blank=True)
    credential_ref = secret_ref()
    scope_allowlist = models.JSONField(default=list, blank=True)
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            unique_while_live("organization", "name"),
            unique("issuer", "subject"),
            unique("id", "organization"),
            SameOwner("environment"),
            OwnSecret("credential_ref"),
        ]

    def __str__(self) -> str:
        return self.name


class Mode(models.TextChoices):
    """Who runs it."""

    RUNNER = "runner"
    CALLER = "caller"


class InboundAuthMethod(models.TextChoices):
    """How it shows who it is."""

    BEARER = "bearer"
    MTLS = "mtls"
    NONE = "none"


class Agent(Mortal, Owned):
    """A program that calls tools: a caller from outside, or a runner of the platform."""

    environment = models.ForeignKey("tenancy.Environment", on_delete=models.CASCADE)
    connection = models.ForeignKey(
        "catalog.Connection", on_delete=models.RESTRICT, null=True, blank=True
    )
    service_account = models.ForeignKey(
        ServiceAccount, on_delete=models.RESTRICT, null=True, blank=True
    )
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=100)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.CALLER)
    inbound_auth_method = models.CharField(
        max_length=10, choices=InboundAuthMethod, default=InboundAuthMethod.BEARER
    )
    bearer_secret_ref = secret_ref()
    inbound_secret_ref = secret_ref()
    mtls_cert_ref = secret_ref()
    mtls_key_ref = secret_ref()
    enabled = models.BooleanField(default=True)
    capabilities = models.JSONField(default=list, blank=True)
    tags = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            unique_while_live("organization", "environment", "name"),
            unique_while_live("service_account"),
            models.UniqueConstraint(
                "organization", "environment", Lower("slug"), name=f"{NAME}one_slug"
            ),
            unique("id", "environment"),
            one_of("mode", Mode),
            one_of("inbound_auth_method", InboundAuthMethod),
            models.CheckConstraint(
                condition=~Q(mode="runner") | Q(connection__isnull=False),
                name=f"{NAME}runner_has_connection",
            ),
            models.CheckConstraint(
                condition=~Q(inbound_auth_method="bearer")
                | Q(bearer_secret_ref__isnull=False)
                | Q(inbound_secret_ref__isnull=False)
                | Q(service_account__isnull=False),
                name=f"{NAME}bearer_has_credential",
            ),
            models.CheckConstraint(
                condition=~Q(inbound_auth_method="mtls")
                | Q(mtls_cert_ref__isnull=False, mtls_key_ref__isnull=False),
                name=f"{NAME}mtls_has_certificate_and_key",
            ),
            SameOwner("environment"),
            SameOwner("connection", "environment"),
            SameOwner("service_account"),
            OwnSecret("bearer_secret_ref"),
            OwnSecret("inbound_secret_ref"),
            OwnSecret("mtls_cert_ref"),
            OwnSecret("mtls_key_ref"),
        ]

    def __str__(self) -> str:
        return self.slug


class IssuedToken(Owned):
    """A token that we signed for an agent. A `jti` without a row here is invalid."""

    environment = models.ForeignKey("tenancy.Environment", on_delete=models.CASCADE)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=200, blank=True)
    jti = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        constraints = [SameOwner("environment"), SameOwner("agent", "environment")]
