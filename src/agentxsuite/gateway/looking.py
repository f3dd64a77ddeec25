"""Looking at what servers say now of the tools that were approved, while they are in use.

From the moment a changed definition has been seen here, no call of that tool goes out until what
the server says is what was approved: whether or not the record knows of it yet.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence

from agentxsuite import wire
from agentxsuite.engines.upstream import UpstreamError
from agentxsuite.gateway.facts import Connection, Snapshot, Tool
from agentxsuite.gateway.forward import failed
from agentxsuite.gateway.gate import Gate, Question
from agentxsuite.gateway.refusals import Denied, Refusal
from agentxsuite.wire import JSON

LIST_SECONDS = 10.0
CHANGED = "This tool's definition changed upstream: it is quarantined until a person approves."
GONE = "The upstream no longer offers this tool."

log = logging.getLogger(__name__)


def concerns(tool: Tool, gate: Gate) -> bool:
    """Whether the server has to be asked before a call; begins a look that is due."""
    connection, vigil = tool.connection, gate.vigil
    if connection.connect_at:  # people may be shown different lists: each call looks for itself
        due = vigil.is_due(connection, tool.id)
        return due or connection.each_call or vigil.doubts(tool)
    if vigil.is_due(connection):
        begin_look(connection, gate)
    return connection.each_call or vigil.doubts(tool)


async def ask(tool: Tool, gate: Gate) -> None:
    """Let a call pass whose tool is what its server says now; raises Denied, UpstreamFailed."""
    endpoint = tool.connection.endpoint
    assert endpoint is not None, "check_dispatchable comes first"  # noqa: S101  -- narrows the type
    try:
        listed = await gate.upstream.list_tools(endpoint, timeout=LIST_SECONDS)
    except UpstreamError as error:
        raise failed(error, LIST_SECONDS) from None
    said = by_name(listed).get(tool.upstream_name)
    if not gate.vigil.compare(tool, said):
        begin_look(tool.connection, gate)
        code, sentence = ("tool_quarantined", CHANGED) if said else ("tool_stale", GONE)
        raise Denied(code, sentence, listed=True)


def heed(connection_id: str, notice: str, gate: Gate) -> None:
    """A server in use may have changed what it offers: let it be asked anew, and look now."""
    gate.offers.forget(connection_id)
    gate.ears.note(connection_id, notice)
    gate.vigil.hurry(connection_id)
    connection = gate.vigil.used.get(connection_id)
    if connection is not None:
        begin_look(connection, gate)


def begin_look(connection: Connection, gate: Gate) -> None:
    """Look in the background, unless that is being done."""
    looks = gate.vigil.looks
    if connection.id not in looks:
        task = looks[connection.id] = asyncio.create_task(look_quietly(connection, gate))
        task.add_done_callback(lambda _: looks.pop(connection.id, None))


async def look_quietly(connection: Connection, gate: Gate) -> None:
    """Look beside the calls; what fails is told, and tried again when it is due."""
    try:
        async with gate.vigil.free:
            await look(connection, gate)
    except (UpstreamError, Refusal) as error:
        log.warning("the tools of connection %s cannot be listed: %s", connection.id, error.code)
    except Exception:  # the record's side fails in its own ways; what is in doubt stays so
        log.exception("the tools of connection %s cannot be compared", connection.id)


async def look(known: Connection, gate: Gate) -> None:
    """Compare what a server says with what was approved, and have a difference recorded."""
    snapshot = await now(known, gate)
    connection = snapshot.connections.get(known.id) if snapshot else None
    if snapshot is None or connection is None or connection.endpoint is None:
        return
    listed = await gate.upstream.list_tools(connection.endpoint, timeout=LIST_SECONDS)
    tools = [tool for tool in snapshot.tools.values() if tool.connection.id == connection.id]
    if gate.vigil.compare_all(tools, by_name(listed)):
        return
    digest = hashlib.sha256(wire.dumps(listed)).digest()
    if gate.vigil.told.get(connection.id) != digest:
        await gate.sync(connection)
        gate.vigil.told[connection.id] = digest


async def tidy(gate: Gate) -> None:
    """Let go of connections that have left their environment, or moved; raises Unavailable."""
    for known in tuple(gate.vigil.used.values()):
        snapshot = await now(known, gate)
        connection = snapshot.connections.get(known.id) if snapshot else None
        mine = connection.of(known.person) if connection else None
        if mine is None or not mine.enabled or mine.endpoint != known.endpoint:
            gate.vigil.forget(known)
            gate.offers.forget(known.kept_as)
            gate.ears.forget(known)
            await gate.upstream.forget(known.kept_as)


async def now(connection: Connection, gate: Gate) -> Snapshot | None:
    """The connection's environment as it is now; None where it is gone."""
    organization, environment = connection.place
    return (await gate.directory.ask(Question(organization, environment=environment))).snapshot


def by_name(listed: Sequence[Mapping[str, JSON]]) -> dict[str, JSON]:
    """Definitions by name."""
    return {definition["name"]: definition for definition in listed}
