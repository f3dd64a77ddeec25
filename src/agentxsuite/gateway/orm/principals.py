"""Who may call: the agents of an environment and the members of its organization."""

from collections.abc import Mapping

from django.db.models import Q, QuerySet

from agentxsuite.control.agents.models import Agent as AgentRow
from agentxsuite.control.policies.facts import agent_of
from agentxsuite.control.tenancy.models import Environment, OrganizationMembership
from agentxsuite.engines.pdp import Agent, Member
from agentxsuite.gateway.facts import Snapshot
from agentxsuite.gateway.orm.view import Changes, merged


def agents_of(
    environment: Environment, previous: Snapshot | None, changes: Changes
) -> Mapping[str, Agent]:
    """The environment's live agents by id."""
    rows = AgentRow.objects.filter(environment=environment, deleted_at=None)
    if previous is None:
        return read_agents(rows)
    touched, accounts = changes["agent"], changes["service_account"]
    if not touched and not accounts:
        return previous.agents
    rows = rows.filter(Q(id__in=touched) | Q(service_account_id__in=accounts))
    return merged(previous.agents, touched, read_agents(rows))


def read_agents(rows: "QuerySet[AgentRow]") -> dict[str, Agent]:
    """The agents of a query."""
    return {str(row.id): agent_of(row) for row in rows.select_related("service_account")}


def members_of(
    environment: Environment, previous: Snapshot | None, changes: Changes
) -> Mapping[str, Member]:
    """The organization's active members by the person's id."""
    rows = OrganizationMembership.objects.filter(
        organization=environment.organization_id, is_active=True, user__is_active=True
    )
    touched = changes["member"]
    if previous is not None:
        if not touched:
            return previous.members
        rows = rows.filter(user_id__in=touched)
    read = {
        str(user): Member(str(user), email, role)
        for user, email, role in rows.values_list("user_id", "user__email", "role")
    }
    return read if previous is None else merged(previous.members, touched, read)
