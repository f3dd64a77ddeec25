"""Builds a snapshot: every fact of one environment, read in one repeatable read.

Runs in a thread, never on the loop. After a change only what the change touched is read and
compiled; the rest is taken over from the snapshot before. What was touched is told by the
database itself (`control.tenancy.triggers`), so no code path can forget to.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from agentxsuite.control.policies.compile import policies_of
from agentxsuite.control.policies.facts import environment_root
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines.pdp import PolicyInvalid, PolicySet
from agentxsuite.gateway.facts import Snapshot, Tool
from agentxsuite.gateway.orm.catalogue import connections_of, tools_of
from agentxsuite.gateway.orm.logins import by_proof, logins_of
from agentxsuite.gateway.orm.principals import agents_of, members_of
from agentxsuite.gateway.orm.view import Changes, changes_since, one_view

log = logging.getLogger(__name__)

EVERYTHING: Changes = defaultdict(frozenset)  # what changed does not matter where all is read
Names = tuple[Mapping[str, Tool], Mapping[str, Tool], Mapping[tuple[str, str], Tool]]


def load_snapshot(
    organization: str, environment_id: str, previous: Snapshot | None
) -> Snapshot | None:
    """Read one environment; None when it, or its organization, has been deleted."""
    with one_view(organization):
        environment = (
            Environment.objects.live()
            .in_organization(UUID(organization))
            .filter(id=environment_id, organization__deleted_at=None)
            .select_related("revision")
            .first()
        )
        if environment is None:
            return None
        changes = changes_since(environment, previous.revision) if previous else None
        if changes is None:
            return read(environment, None, EVERYTHING)
        return read(environment, previous, changes)


def read(environment: Environment, previous: Snapshot | None, changes: Changes) -> Snapshot:
    """Everything, or the snapshot before with what has changed since."""
    connections = connections_of(environment, previous, changes)
    tools = tools_of(environment, connections, previous, changes)
    by_name, by_mcp_name, by_upstream = names_of(tools, previous)
    logins = logins_of(environment, previous, changes)
    return Snapshot(
        organization=str(environment.organization_id),
        environment=str(environment.id),
        revision=environment.revision.value,
        attributes=environment_root(environment),
        policies=compiled(environment, previous, changes),
        agents=agents_of(environment, previous, changes),
        members=members_of(environment, previous, changes),
        connections=connections,
        tools=tools,
        by_name=by_name,
        by_mcp_name=by_mcp_name,
        by_upstream=by_upstream,
        logins=logins,
        by_proof=by_proof(logins, previous),
    )


def names_of(tools: Mapping[str, Tool], previous: Snapshot | None) -> Names:
    """The names by which tools are found: qualified, for models, and per server."""
    if previous is not None and tools is previous.tools:
        return previous.by_name, previous.by_mcp_name, previous.by_upstream
    return (
        {tool.name: tool for tool in tools.values()},
        {tool.mcp_name: tool for tool in tools.values()},
        {(tool.connection.slug, tool.upstream_name): tool for tool in tools.values()},
    )


def compiled(
    environment: Environment, previous: Snapshot | None, changes: Changes
) -> PolicySet | None:
    """The policies, or None when one of them cannot be read: then nothing is allowed."""
    place = str(environment.organization_id), str(environment.id)
    try:
        if previous is None or previous.policies is None:
            return PolicySet.compile(policies_of(environment), *place)
        touched = changes["policy"]
        if not touched:
            return previous.policies
        return previous.policies.edited(policies_of(environment, touched), touched)
    except PolicyInvalid:
        log.exception("policies of environment %s cannot be read", environment.id)
        return None
