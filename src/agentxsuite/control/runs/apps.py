"""How Django finds the runs app."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Every call that was made, and how it ended."""

    name = "agentxsuite.control.runs"
    label = "runs"
