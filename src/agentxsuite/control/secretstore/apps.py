"""How Django finds the secretstore app."""

from django.apps import AppConfig


class SecretstoreConfig(AppConfig):
    """Secrets that go in and never come out."""

    name = "agentxsuite.control.secretstore"
    label = "secretstore"
