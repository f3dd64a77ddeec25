"""What lists of connections and tools can be narrowed to.

Rows are named by their ids alone: whether an id belongs to somebody else makes no difference.
"""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from agentxsuite.control.catalog.models import Connection, SyncStatus, Tool
from agentxsuite.control.rest.narrowing import matching


class ConnectionFilter(filters.FilterSet):
    """By place, by name, by state."""

    environment = filters.UUIDFilter(field_name="environment_id")

    class Meta:
        model = Connection
        fields = ("name", "slug", "enabled", "status", "auth_method", "verify")


class ToolFilter(filters.FilterSet):
    """By connection and place, by state, and by name: whole, or its beginning before a `*`."""

    connection = filters.UUIDFilter(field_name="connection_id")
    environment = filters.UUIDFilter(field_name="environment_id")
    sync_status = filters.ChoiceFilter(choices=SyncStatus.choices)
    name = filters.CharFilter(method="named", help_text="`pdf/read`, or `pdf/*` for a beginning.")

    class Meta:
        model = Tool
        fields = ("enabled",)

    def named(self, rows: QuerySet[Tool], _field: str, value: str) -> QuerySet[Any]:
        """Return the tools of that name, or whose names begin so."""
        return matching("name")(rows, value)
