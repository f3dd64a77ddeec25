"""Listening to the servers whose changes a client wants to hear of, whether or not it uses them."""

import asyncio
from collections.abc import Iterable

from agentxsuite.engines.upstream import NOTICES, Endpoint, UpstreamError, connection_of
from agentxsuite.gateway.facts import Connection
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.looking import heed

ATTEND_SECONDS = 10.0


def attend(connections: Iterable[Connection], gate: Gate) -> None:
    """Let servers be listened to for the next minutes; asks each of them once a minute."""
    for connection in connections:
        endpoint = connection.endpoint
        if endpoint is not None and gate.ears.is_due(connection):
            gate.vigil.use(connection)
            begin(endpoint, gate)


def begin(endpoint: Endpoint, gate: Gate) -> None:
    """Ask in the background."""
    asking = gate.ears.asking
    task = asyncio.create_task(listen_to(endpoint, gate))
    asking.add(task)
    task.add_done_callback(asking.discard)


async def listen_to(endpoint: Endpoint, gate: Gate) -> None:
    """Ask a server whether it is there; from one that was not, nobody has heard what it has."""
    silent = gate.ears.silent
    try:
        async with gate.ears.free:
            await gate.upstream.attend(endpoint, timeout=ATTEND_SECONDS)
    except UpstreamError:
        silent.add(endpoint.id)
        return
    if endpoint.id in silent:
        silent.discard(endpoint.id)
        for notice in NOTICES:
            heed(connection_of(endpoint.id), notice.method, gate)
