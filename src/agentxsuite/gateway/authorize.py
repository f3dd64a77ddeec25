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
    if fact is None and decision.allowed:
        return
    listed = could_allow(principal, tool, call)
    if fact is not None:
        raise Denied(*fact, listed=listed)
    rule = decision.determining
    detail = (rule.message if rule else "") or SENTENCES[decision.reason].format(tool=tool.name)
    raise Denied(decision.reason, detail, listed=listed, paths=decision.paths)


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


SENTENCES = {
    "explicit_deny": "A policy denies this call of '{tool}'.",
    "default_deny": "No policy allows this call of '{tool}'.",
}


def standing(principal: Principal, tool: Tool) -> tuple[str, str] | None:
    """The first fact outside policy that closes the door: (code, sentence)."""
    agent, connection = principal.agent, tool.connection
    facts = (
        (not agent.enabled, "agent_disabled", "This agent is disabled."),
        (
            agent.mode == "runner" and agent.connection != connection.id,
            "runner_other_connection",
            "A runner uses only the tools of its own connection.",
        ),
        (not connection.enabled, "connection_disabled", "This tool's connection is disabled."),
        (not tool.enabled, "tool_disabled", "This tool is disabled."),
        (
            tool.sync_status == "pending_review" or tool.schema is None,
            "tool_quarantined",
            "This tool's definition changed upstream: it is quarantined until a person approves.",
        ),
        (tool.sync_status == "stale", "tool_stale", "The upstream no longer offers this tool."),
    )
    return next(((code, detail) for closed, code, detail in facts if closed), None)


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
    """The question in the engine's words; every id is the server's own.

    ``request.time`` and ``context.time`` are the engine's instant.
    """
    snapshot, member = principal.snapshot, principal.member
    return pdp.Request(
        organization=snapshot.organization,
        environment=snapshot.environment,
        action=INVOKE,
        target=tool.target,
        agent=principal.agent.id,
        user=member.user if member else None,
        roles=(member.role,) if member else (),
        tool=tool.id,
        attributes={
            "principal": who(principal),
            "env": snapshot.attributes,
            "tool": tool.attributes,
            "request": {
                "action": INVOKE,
                "target": tool.target,
                "door": call.door,
                "ip": call.address,
            },
            "context": {
                "auth_method": principal.auth_method,
                "client": call.client,
                "ip": call.address,
            },
        },
        input=pdp.UNKNOWN if listing else call.arguments,
    )


def who(principal: Principal) -> dict[str, JSON]:
    """The ``principal`` root: the agent, and the person running as it."""
    member = principal.member
    user = {"id": member.user, "email": member.email} if member else None
    roles = [member.role] if member else []
    return {**principal.agent.attributes, "roles": roles, "user": user}
