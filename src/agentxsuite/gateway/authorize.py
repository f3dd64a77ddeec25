"""May they? Facts that no policy overrides first, then the one decision engine."""

from collections.abc import Hashable

from agentxsuite.engines import pdp
from agentxsuite.gateway.advice import advice
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Offer, Tool
from agentxsuite.gateway.refusals import Denied, InsufficientScope, Unavailable
from agentxsuite.wire import JSON

INVOKE, READ, GET = "tool.invoke", "resource.read", "prompt.get"
NEAR_MISSES = 20  # kept on record with a denial


def decide(principal: Principal, target: Tool | Offer, call: Call) -> pdp.Decision:
    """What policy says of this call; raises InsufficientScope or Unavailable."""
    check_scope(principal, target.action)
    return pdp.decide(policies(principal), request(principal, target, call), call.received)


def enforce(decision: pdp.Decision, principal: Principal, target: Tool | Offer, call: Call) -> None:
    """Let a call pass, or raise Denied with the reason it may be told."""
    fact = standing(principal, target)
    told = pdp.refusal(decision, fact, target.name)
    if told is not None:
        listed = could_allow(principal, target, call)
        paths = () if fact else decision.paths
        helpful = advice(decision, fact, principal, target)
        raise Denied(*told, listed=listed, paths=paths, advice=helpful)


def reasons(
    decision: pdp.Decision, principal: Principal, target: Tool | Offer, call: Call
) -> dict[str, JSON]:
    """What the record keeps of a decision: the rule, and for a denial the whole explanation."""
    rule = decision.determining
    known: dict[str, JSON] = {
        "rule": rule.rule_name if rule else None,
        "policy": rule.policy_name if rule else None,
        "policy_version": rule.policy_version if rule else None,
    }
    if not decision.allowed:
        asked = request(principal, target, call)
        explained = pdp.explain(policies(principal), asked, decision, call.received).as_json()
        explained["near_misses"] = explained["near_misses"][:NEAR_MISSES]
        known["explanation"] = explained
    return known


def standing(principal: Principal, target: Tool | Offer) -> pdp.Told | None:
    """The first fact outside policy that closes the door."""
    if isinstance(target, Tool):
        return next(pdp.closed(principal.agent, target), None)
    return next(pdp.shut(principal.agent, target.connection), None)


def check_scope(principal: Principal, action: str) -> None:
    """Raise InsufficientScope where a token is not good for an action."""
    if not in_scope(principal, action):
        raise InsufficientScope(action)


def in_scope(principal: Principal, action: str) -> bool:
    """A scoped token must name the action, or a group that holds it (``tool.*``)."""
    scopes = principal.scopes
    if scopes is None or action in scopes or "*" in scopes:
        return True
    return f"{action.partition('.')[0]}.*" in scopes


def policies(principal: Principal) -> pdp.PolicySet:
    """The compiled policies; without them nothing is allowed (fail closed)."""
    if principal.snapshot.policies is None:
        raise Unavailable(
            "pdp_error", "The policies cannot be read; nothing is allowed until then."
        )
    return principal.snapshot.policies


def could_allow(principal: Principal, target: Tool | Offer, call: Call) -> bool:
    """Whether some arguments could make the target usable: what a list shows."""
    asked = request(principal, target, call, listing=True)
    if asked.input is pdp.UNKNOWN:
        return pdp.could_allow(policies(principal), asked, call.received)
    return pdp.decide(policies(principal), asked, call.received).allowed


def could_become(principal: Principal, template: Offer, call: Call) -> bool:
    """Whether something that a template can become could be allowed; no policy hides the others."""
    asked = request(principal, template, call, listing=True)
    return pdp.could_allow_below(policies(principal), asked, call.received)


def outline(principal: Principal, beginning: Offer, call: Call) -> Hashable:
    """What policies say of everything that begins so: nothing where nothing can be allowed."""
    asked = request(principal, beginning, call, listing=True)
    return pdp.outline(policies(principal), asked, call.received)


def visible(principal: Principal, target: Tool | Offer, call: Call) -> bool:
    """Whether a list shows the target to this principal."""
    return standing(principal, target) is None and could_allow(principal, target, call)


def request(
    principal: Principal, target: Tool | Offer, call: Call, *, listing: bool = False
) -> pdp.Request:
    """The question in the engine's words."""
    how = pdp.Circumstances(call.door, call.address, principal.auth_method, call.client)
    given = pdp.UNKNOWN if listing else call.arguments
    if isinstance(target, Tool):
        return pdp.ask(principal, INVOKE, target.target, target, how, given)
    given = given if target.input is None else target.input
    return pdp.ask(principal, target.action, target.target, None, how, given)
