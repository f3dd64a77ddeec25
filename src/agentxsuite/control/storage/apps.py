"""How Django finds what belongs to the database rather than to a table."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """Has no models: it brings the command that migrates."""

    name = "agentxsuite.control.storage"
    label = "storage"
