"""How Django finds the pages' templates."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Has no models: templates, words and a style sheet."""

    name = "agentxsuite.console"
    label = "console"
