"""Suggestions for an argument of a prompt or a template: for those that a list shows the caller.

Nothing is read or got, so nothing but a refusal is recorded.
"""

from collections.abc import Mapping

from agentxsuite.engines.limits import Rate
from agentxsuite.gateway.authorize import READ, check_scope, standing, visible
from agentxsuite.gateway.call import DEFAULT_TIMEOUT, Call, Principal
from agentxsuite.gateway.facts import Offer
from agentxsuite.gateway.forward import check_dispatchable, forward
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.identify import identify
from agentxsuite.gateway.offered import LISTED_TEMPLATES, at, definitions, offers, some
from agentxsuite.gateway.pipeline import throttled
from agentxsuite.gateway.record import recorded, stop_flood
from agentxsuite.gateway.refusals import Unknown
from agentxsuite.gateway.uses import own_uri, the_prompt, the_resource
from agentxsuite.wire import JSON

RATE = Rate(per_minute=600, burst=120)  # one for every key that somebody presses


async def complete(call: Call, gate: Gate, params: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """What the server suggests; ``call`` names a prompt, or a template as a resource."""
    offer = await found(call, gate)
    ref = params["ref"] | {"uri" if call.action == READ else "name": offer.own}
    asked = {**params, "ref": ref}
    return await forward(
        offer.connection, "completion/complete", asked, DEFAULT_TIMEOUT, gate, call
    )


async def found(call: Call, gate: Gate) -> Offer:
    """What the call names, if a list shows it and it is not asked for too often."""
    async with recorded(call, gate) as entry:
        principal = entry.principal = await identify(call, gate)
        check_scope(principal, call.action)
        stop_flood(principal, gate)
        find = the_template if call.action == READ else the_prompt
        offer = entry.target = await find(principal, call, gate)
        if not shown(principal, offer, call):
            raise Unknown("prompt_unknown", f"There is no '{offer.name[:100]}' here.")
        check_dispatchable(offer.connection)
        taken = await gate.limiter.take(f"{principal.agent.id}:{offer.id}:complete", RATE)
        if not taken.allowed:
            raise throttled(offer.name, taken.retry_after)
        return offer


def shown(principal: Principal, offer: Offer, call: Call) -> bool:
    """Whether a list shows it to this caller."""
    sees = visible if offer.action != READ or offer.input else LISTED_TEMPLATES.shown
    return standing(principal, offer) is None and sees(principal, offer, call)


async def the_template(principal: Principal, call: Call, gate: Gate) -> Offer:
    """The template that its server lists so, or else the resource of that URI; raises Unknown."""
    for connection in at(principal, call):
        if own_uri(connection, call) and standing(principal, some(connection)) is None:
            listed = await definitions(connection, gate, LISTED_TEMPLATES.kind)
            for offer in offers(connection, listed, call, LISTED_TEMPLATES):
                if offer.name == call.tool:
                    return offer
    return await the_resource(principal, call, gate)
