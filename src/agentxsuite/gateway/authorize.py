"""May they? Facts that no policy overrides first, then the one decision engine."""

from agentxsuite.engines import pdp
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Tool
from agentxsuite.gateway.refusals import Denied, InsufficientScope, Unavailable
from agentxsuite.wire import JSON

INVOKE = "tool.invoke"
NEAR_MISSES = 20  # kept on record with a denial


def decide(principal: Principal, tool: Tool, call: Call) -> pdp.Decision:
    """What policy says of this call; raises InsufficientScope or Unavailable."""
    check_scope(principal, INVOKE)
    return pdp.decide(policies(principal), request(principal, tool, call), call.received)


def enforce(decision: pdp.Decision, principal: Principal, tool: Tool, call: Call) -> None:
    """Let a call pass, or raise Denied with the reason it may be told."""
    fact = standing(principal, tool)
    told = pdp.refusal(decision, fact, tool.name)
    if told is not None:
        listed = could_allow(principal, tool, call)
        raise Denied(*told, listed=listed, paths=() if fact else decision.paths)


def reasons(
    decision: pdp.Decision, principal: Principal, tool: Tool, call: Call
) -> dict[str, JSON]:
    """What the record keeps of a decision: the rule, and for a denial the whole explanation."""
    rule = decision.determining
    known: dict[str, JSON] = {
        "rule": rule.rule_name if rule else None,
        "policy": rule.policy_name if rule else None,
        "policy_version": rule.policy_version if rule else None,
    }
    if not decision.allowed:
        asked = request(principal, tool, call)
        explained = pdp.explain(policies(principal), asked, decision, call.received).as_json()
        explained["near_misses"] = explained["near_misses"][:NEAR_MISSES]
        known["explanation"] = explained
    return known


def standing(principal: Principal, tool: Tool) -> pdp.Told | None:
    """The first fact outside policy that closes the door."""
    return next(pdp.closed(principal.agent, tool), None)


def check_scope(principal: Principal, action: str) -> None:
    """A scoped token must name the action, or a group that holds it (``tool.*``)."""
    scopes = principal.scopes
    if scopes is None or action in scopes or "*" in scopes:
        return
    if f"{action.partition('.')[0]}.*" not in scopes:
        raise InsufficientScope(action)


def policies(principal: Principal) -> pdp.PolicySet:
    """The compiled policies; without them nothing is allowed (fail closed)."""
    if principal.snapshot.policies is None:
        raise Unavailable(
            "pdp_error", "The policies cannot be read; nothing is allowed until then."
        )
    return principal.snapshot.policies


def could_allow(principal: Principal, tool: Tool, call: Call) -> bool:
    """Whether some arguments could make the tool callable: what a list shows."""
    asked = request(principal, tool, call, listing=True)
    return pdp.could_allow(policies(principal), asked, call.received)


def visible(principal: Principal, tool: Tool, call: Call) -> bool:
    """Whether ``tools/list`` shows the tool to this principal."""
    return standing(principal, tool) is None and could_allow(principal, tool, call)


def request(principal: Principal, tool: Tool, call: Call, *, listing: bool = False) -> pdp.Request:
    """The question in the engine's words."""
    how = pdp.Circumstances(call.door, call.address, principal.auth_method, call.client)
    given = pdp.UNKNOWN if listing else call.arguments
    return pdp.ask(principal, INVOKE, tool.target, tool, how, given)
