"""How Django finds the policies app."""

from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    """Who may use what, as rules bound to scopes."""

    name = "agentxsuite.control.policies"
    label = "policies"
