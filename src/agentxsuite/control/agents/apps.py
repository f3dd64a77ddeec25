"""How Django finds the agents app."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """Agents, their service accounts, and the tokens issued to them."""

    name = "agentxsuite.control.agents"
    label = "agents"
