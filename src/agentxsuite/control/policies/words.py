"""An environment, an agent and a tool in the words in which the engine is asked about calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from agentxsuite.control.catalog.models import Tool as ToolRow
from agentxsuite.control.policies.facts import environment_root, tool_root
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines import pdp
from agentxsuite.engines.schemas import Schema, SchemaRefused
from agentxsuite.wire import JSON, dumps, loads


@dataclass(frozen=True, slots=True)
class Place:
    """An environment in the engine's words."""

    organization: str
    environment: str
    attributes: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, in the engine's words."""

    snapshot: Place
    agent: pdp.Agent | None
    member: pdp.Member | None


@dataclass(frozen=True, slots=True)
class Server:
    """The connection of a tool."""

    id: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as it stands now."""

    id: str
    name: str
    enabled: bool
    approved: bool
    sync_status: str
    connection: Server
    attributes: Mapping[str, JSON]


def place_of(row: Environment) -> Place:
    """Return an environment."""
    return Place(str(row.organization_id), str(row.id), environment_root(row))


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
