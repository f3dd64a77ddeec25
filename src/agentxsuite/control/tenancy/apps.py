"""How Django finds the tenancy app."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    """Organizations, their environments, people, and the walls between tenants."""

    name = "agentxsuite.control.tenancy"
    label = "tenancy"
