"""What lists of agents and service accounts can be narrowed to.

Rows are named by their ids alone: whether an id belongs to somebody else makes no difference.
"""

from typing import Any

from django_filters import rest_framework as filters
from django_filters.fields import ChoiceField

from agentxsuite.control.agents.models import Agent, InboundAuthMethod, Mode, ServiceAccount


class AnyCaseField(ChoiceField):
    """One word of a few, in either case."""

    def to_python(self, value: Any) -> Any:
        """Return the word as it is stored."""
        return super().to_python(value.lower() if isinstance(value, str) else value)


class AnyCase(filters.ChoiceFilter):
    """Narrows to a word of an enum."""

    field_class = AnyCaseField


class AgentFilter(filters.FilterSet):
    """By place, by kind, by name, by login."""

    environment = filters.UUIDFilter(field_name="environment_id")
    connection = filters.UUIDFilter(field_name="connection_id")
    service_account = filters.UUIDFilter(field_name="service_account_id")
    mode = AnyCase(choices=Mode.choices)
    inbound_auth_method = AnyCase(choices=InboundAuthMethod.choices)

    class Meta:
        model = Agent
        fields = ("name", "slug", "enabled")


class ServiceAccountFilter(filters.FilterSet):
    """By place, by name, by what the issuer calls it."""

    environment = filters.UUIDFilter(field_name="environment_id")

    class Meta:
        model = ServiceAccount
        fields = ("name", "issuer", "subject", "enabled")
