"""What lists of agents and service accounts can be narrowed to.

Rows are named by their ids alone: whether an id belongs to somebody else makes no difference.
"""

from django_filters import rest_framework as filters

from agentxsuite.control.agents.models import Agent, InboundAuthMethod, Mode, ServiceAccount
from agentxsuite.control.rest.filters import AnyCase


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
