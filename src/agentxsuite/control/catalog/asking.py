"""Asking a connection's server for its list of tools, and doing something with the answer."""

from collections.abc import Callable
from typing import TypeVar

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog import sync
from agentxsuite.control.catalog.listing import Unacceptable
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.problems import Conflict
from agentxsuite.engines.upstream import UpstreamError, Upstreams
from agentxsuite.wire import JSON

LIST_SECONDS = 30.0
ATTEMPTS = 3

Found = TypeVar("Found")
Settle = Callable[[Actor, sync.Plan, list[dict[str, JSON]]], Found]


async def asked(
    actor: Actor, connection: Connection, upstreams: Upstreams, settle: "Settle[Found]"
) -> Found:
    """List the tools of a connection's server now, outside of every transaction, and `settle` it.

    Raises NotFound, SecretsUnavailable, UpstreamFailed, what `settle` raises, and Conflict while
    others keep changing the connection.
    """
    for _ in range(ATTEMPTS):
        plan = await in_thread(sync.begin, connection, actor.user)
        try:
            listed = await upstreams.list_tools(plan.endpoint, timeout=LIST_SECONDS)
            return await in_thread(settle, actor, plan, listed)
        except (UpstreamError, Unacceptable) as error:
            raise await in_thread(sync.fail, actor, plan, error) from None
        except sync.Superseded:
            continue
    raise Conflict("The connection keeps changing; try again.", code="sync_superseded")
