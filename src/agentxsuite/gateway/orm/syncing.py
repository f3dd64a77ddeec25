"""Having it recorded that a server's tools are not what was approved."""

from uuid import UUID

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.models import Connection as ConnectionRow
from agentxsuite.control.catalog.services import sync_connection
from agentxsuite.control.catalog.upstreams import current
from agentxsuite.gateway.facts import Connection

GATEWAY = Actor("client:gateway")


async def sync(connection: Connection) -> None:
    """Compare a connection's tools with its server's; raises Problem."""
    row = ConnectionRow(id=UUID(connection.id), organization_id=UUID(connection.place[0]))
    await sync_connection(GATEWAY, row, current())
