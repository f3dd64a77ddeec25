"""How Django finds the audit app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """What happened, for ever."""

    name = "agentxsuite.control.audit"
    label = "audit"
