"""What an address offers beside tools: asked of its servers, under its names, judged one by one.

Lists leave no events. A server that does not answer in time is missing from the list of all, and
does not break it; asked for its own list, its failure is told.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from agentxsuite.engines.upstream import (
    PROMPTS,
    RESOURCES,
    TEMPLATES,
    Kind,
    UpstreamError,
    mcp_name,
)
from agentxsuite.gateway.authorize import GET, READ, check_scope, could_become, standing, visible
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Connection, Offer
from agentxsuite.gateway.forward import check_dispatchable, failed
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.identify import identify
from agentxsuite.gateway.naming import (
    Unnameable,
    prompt_target,
    qualified,
    resource_beginning,
    resource_target,
)
from agentxsuite.gateway.record import recorded
from agentxsuite.wire import JSON

LIST_SECONDS = 10.0  # for all pages of one server's list
PATIENCE = 3.0  # seconds that the list of all servers waits for a slow one


class Sort(NamedTuple):
    """One sort of offers: how servers list it, what using it is called, how it is named and judged.

    ``make`` gives None for what no policy can speak of.
    """

    kind: Kind
    action: str
    make: Callable[[Connection, Mapping[str, JSON], Call], Offer | None]
    shown: Callable[[Principal, Offer, Call], bool] = visible


class Offered(NamedTuple):
    """Offers in the order of their names; ``complete`` unless a server did not answer."""

    offers: Sequence[Offer]
    complete: bool


async def list_offers(call: Call, gate: Gate, sort: Sort) -> Offered:
    """Everything of a sort that this caller may use here; only a refusal is recorded.

    Raises Refusal, also UpstreamFailed at the address of a single server.
    """
    async with recorded(call, gate) as entry:
        principal = entry.principal = await identify(call, gate)
        check_scope(principal, sort.action)
    connections = [each for each in at(principal, call) if standing(principal, some(each)) is None]
    ask = or_nothing if call.passthrough is None else definitions
    lists = await asyncio.gather(*(ask(each, gate, sort.kind) for each in connections))
    found = {
        offer.name: offer
        for connection, listed in zip(connections, lists, strict=True)
        for offer in offers(connection, listed or (), call, sort)
        if sort.shown(principal, offer, call)
    }
    return Offered([found[name] for name in sorted(found)], all(each is not None for each in lists))


def at(principal: Principal, call: Call) -> Iterator[Connection]:
    """The connections of an address: all of them, or one."""
    for each in principal.snapshot.connections.values():
        if call.passthrough is None or each.slug == call.passthrough:
            yield each.of(principal.person)


def some(connection: Connection) -> Offer:
    """Anything of a connection: what the facts outside policy say of it, they say of all."""
    return Offer(READ, connection, "", "", "")


def offers(
    connection: Connection, listed: Sequence[Mapping[str, JSON]], call: Call, sort: Sort
) -> Iterator[Offer]:
    """What a server lists, as this address knows it."""
    for definition in listed:
        offer = sort.make(connection, definition, call)
        if offer is not None:
            yield offer


async def definitions(
    connection: Connection, gate: Gate, kind: Kind, *, anew: bool = False
) -> Sequence[Mapping[str, JSON]]:
    """What the server lists now, or did a moment ago; raises Unavailable, UpstreamFailed."""
    check_dispatchable(connection)
    gate.vigil.use(connection)
    endpoint = connection.endpoint
    assert endpoint is not None, "it is dispatchable"  # noqa: S101  -- narrows the type
    ask = partial(gate.upstream.list_all, endpoint, kind, timeout=LIST_SECONDS)
    try:
        listed: Sequence[Mapping[str, JSON]] = await gate.offers.get(
            endpoint, kind.method, ask, anew=anew
        )
    except UpstreamError as error:
        raise failed(error, LIST_SECONDS) from None
    return listed


async def or_nothing(
    connection: Connection, gate: Gate, kind: Kind
) -> Sequence[Mapping[str, JSON]] | None:
    """What the server lists, None where that is not known in time; the question goes on."""
    endpoint = connection.endpoint
    if endpoint is None:
        return None
    gate.vigil.use(connection)
    ask = partial(gate.upstream.list_all, endpoint, kind, timeout=LIST_SECONDS)
    try:
        async with asyncio.timeout(PATIENCE):
            listed: Sequence[Mapping[str, JSON]] = await gate.offers.get(endpoint, kind.method, ask)
            return listed
    except (UpstreamError, TimeoutError):
        return None


def resource(connection: Connection, definition: Mapping[str, JSON], call: Call) -> Offer | None:
    """One resource that a server lists, or that somebody names; its input is its URI."""
    own = definition["uri"]
    try:
        target = resource_target(connection.slug, own)
    except Unnameable:
        return None
    name = own if call.passthrough is not None else qualified(connection.slug, own)
    return Offer(READ, connection, own, name, target, definition, {"uri": own})


def template(connection: Connection, definition: Mapping[str, JSON], call: Call) -> Offer:
    """One template; its target is how the targets of what it can become begin."""
    own = definition["uriTemplate"]
    name = own if call.passthrough is not None else qualified(connection.slug, own)
    target = resource_beginning(connection.slug, own)
    return Offer(READ, connection, own, name, target, definition)


def prompt(connection: Connection, definition: Mapping[str, JSON], call: Call) -> Offer:
    """One prompt; its input are the caller's arguments."""
    own = definition["name"]
    target = prompt_target(connection.slug, own)
    name = own
    if call.passthrough is None:
        name = mcp_name(connection.slug, own) if call.door == "mcp" else target.partition(":")[2]
    return Offer(GET, connection, own, name, target, definition)


LISTED_RESOURCES = Sort(RESOURCES, READ, resource)
LISTED_TEMPLATES = Sort(TEMPLATES, READ, template, could_become)
LISTED_PROMPTS = Sort(PROMPTS, GET, prompt)
