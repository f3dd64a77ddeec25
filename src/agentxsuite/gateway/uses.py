"""The story of one use: a resource is read or a prompt is got, judged and recorded as a call is.

A use is no run: it leaves two events, or one where it was refused.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import NamedTuple

from agentxsuite.engines.upstream import PROMPTS, mcp_name
from agentxsuite.gateway.authorize import GET, READ, check_scope, standing
from agentxsuite.gateway.call import Call, Entry, Principal
from agentxsuite.gateway.facts import Connection, Offer
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.identify import identify
from agentxsuite.gateway.naming import JOINT, prompt_target
from agentxsuite.gateway.offered import at, definitions, prompt, resource, some
from agentxsuite.gateway.pipeline import authorize, limit
from agentxsuite.gateway.questions import put, resume
from agentxsuite.gateway.record import begin, recorded, stop_flood
from agentxsuite.gateway.refusals import Invalid, Unknown
from agentxsuite.wire import JSON

Find = Callable[[Principal, Call, Gate], Awaitable[Offer]]


class Use(NamedTuple):
    """A way to use what is no tool: what policies call it, and how a server is asked."""

    action: str
    method: str
    find: Find
    params: Callable[[Offer, Call], Mapping[str, JSON]]


async def use(call: Call, gate: Gate, way: Use) -> Entry:
    """Request in -> identity -> decision -> limits -> record -> upstream -> record -> response."""
    async with recorded(call, gate) as entry:  # however it ends, it is written down
        principal = entry.principal = await identify(call, gate)  # or 401
        check_scope(principal, way.action)  # or 403
        stop_flood(principal, gate)  # or 429
        offer = entry.target = await way.find(principal, call, gate)  # or 404
        entry.decision = authorize(entry, principal, offer, gate)  # or 403
        await limit(entry, principal, offer, gate)  # or 429
        check_arguments(offer, call)  # or 400
        params = {**way.params(offer, call), **resume(entry, gate)}  # or 400
        gate.vigil.use(offer.connection)
        await begin(entry, gate)  # nothing is read unrecorded
        entry.outcome = await put(entry, way.method, params, gate)  # or 502, 504
    return entry


async def the_resource(principal: Principal, call: Call, _gate: Gate) -> Offer:
    """What a URI names at this address, whether or not its server lists it; raises Unknown."""
    for connection in at(principal, call):
        own = own_uri(connection, call)
        offer = resource(connection, {"uri": own}, call) if own else None
        if offer is not None:
            return offer
    raise Unknown("resource_unknown", f"There is no resource '{call.tool[:100]}' here.")


def own_uri(connection: Connection, call: Call) -> str:
    """What a connection's server calls the resource; empty where it is not one of its own."""
    if call.passthrough is not None:
        return call.tool
    prefix = f"{connection.slug}{JOINT}"
    return call.tool.removeprefix(prefix) if call.tool.startswith(prefix) else ""


async def the_prompt(principal: Principal, call: Call, gate: Gate) -> Offer:
    """The prompt that its server lists under this name; raises Unknown, UpstreamFailed."""
    for connection in at(principal, call):
        if may_have(connection, call) and standing(principal, some(connection)) is None:
            for anew in (False, True):  # it may have been added a moment ago
                for definition in await definitions(connection, gate, PROMPTS, anew=anew):
                    if call.tool in names(connection, definition["name"], call):
                        return prompt(connection, definition, call)
    raise Unknown("prompt_unknown", f"There is no prompt '{call.tool[:100]}' here.")


def may_have(connection: Connection, call: Call) -> bool:
    """Whether the prompt's name can be one of this connection."""
    slug = connection.slug
    return call.passthrough is not None or call.tool.startswith((f"{slug}__", f"{slug}/"))


def names(connection: Connection, own: str, call: Call) -> tuple[str, ...]:
    """What a prompt is called at this address."""
    if call.passthrough is not None:
        return (own,)
    for_models = mcp_name(connection.slug, own)
    if call.door == "mcp":
        return (for_models,)
    by_policies = prompt_target(connection.slug, own).partition(":")[2]
    return for_models, by_policies, f"{connection.slug}/{own}"


def check_arguments(offer: Offer, call: Call) -> None:
    """What the prompt's definition demands must be there; raises Invalid."""
    missing = [name for name in required(offer.definition) if name not in call.arguments]
    if missing:
        told = [
            {"path": f"/{name}", "keyword": "required", "message": "missing"} for name in missing
        ]
        raise Invalid(f"Invalid arguments: missing {', '.join(missing)}", told)


def required(definition: Mapping[str, JSON]) -> Iterator[str]:
    """The names of the arguments that a prompt cannot do without."""
    declared = definition.get("arguments")
    for each in declared if isinstance(declared, list) else ():
        if isinstance(each, dict) and each.get("required") is True:
            name = each.get("name")
            if isinstance(name, str):
                yield name


def read_params(offer: Offer, _call: Call) -> Mapping[str, JSON]:
    """How a server is asked for a resource."""
    return {"uri": offer.own}


def get_params(offer: Offer, call: Call) -> Mapping[str, JSON]:
    """How a server is asked for a prompt."""
    return {"name": offer.own, **({"arguments": call.arguments} if call.arguments else {})}


READING = Use(READ, "resources/read", the_resource, read_params)
GETTING = Use(GET, "prompts/get", the_prompt, get_params)
