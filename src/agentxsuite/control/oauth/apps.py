"""How Django finds this app."""

from django.apps import AppConfig


class OAuthConfig(AppConfig):
    """The authorization server's rows; the toolkit's models are swapped for ours."""

    name = "agentxsuite.control.oauth"
    label = "oauth"
