"""How Django finds the catalog app."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """MCP connections, and the tools that they provide."""

    name = "agentxsuite.control.catalog"
    label = "catalog"
