"""An agent and a tool, as rows, in the words in which the engine is asked about calls."""

from functools import lru_cache

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.catalog.models import Tool as ToolRow
from agentxsuite.control.policies.evaluation import Asker, Place, Server, Tool
from agentxsuite.control.policies.facts import agent_of, environment_root, tool_root
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines.schemas import Schema, SchemaRefused
from agentxsuite.wire import dumps, loads


def asker_of(row: Agent, environment: Environment) -> Asker:
    """Return an agent of an environment; its service account has been read together with it."""
    place = str(environment.organization_id), str(environment.id)
    return Asker(Place(*place, environment_root(environment)), agent_of(row), None)


def tool_of(row: ToolRow) -> Tool:
    """Return a tool; its connection and its definition have been read together with it."""
    return Tool(
        id=str(row.id),
        name=row.name,
        enabled=row.enabled,
        approved=row.definition is not None and _compiles(dumps(row.schema_json)),
        sync_status=row.sync_status,
        connection=Server(str(row.connection_id), row.connection.enabled),
        attributes=tool_root(row, row.connection.slug),
    )


@lru_cache(4096)
def _compiles(schema: bytes) -> bool:
    """Whether a schema can be checked; by its text, because a list asks the same ones again."""
    try:
        Schema.compile(loads(schema))
    except SchemaRefused:
        return False
    return True
