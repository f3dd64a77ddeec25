"""What a reader of policies is told of a denial besides: what would allow it, or what denies it."""

import shlex

from agentxsuite.engines import pdp
from agentxsuite.gateway.call import Principal
from agentxsuite.gateway.facts import Offer, Tool
from agentxsuite.wire import JSON

LOGIN = "login"  # how a person shows who they are; whoever may run tools so may read policies
USUAL = "tool.invoke"  # the action that the command takes where none is named


def advice(
    decision: pdp.Decision, fact: pdp.Told | None, principal: Principal, target: Tool | Offer
) -> dict[str, JSON]:
    """Members of the problem: ``allow`` is a command, ``denied_by`` the rule that no allow beats.

    Nothing for an agent, and nothing where a fact outside policy closes the door.
    """
    if principal.member is None or principal.auth_method != LOGIN or fact is not None:
        return {}
    rule = decision.determining
    if rule is None:
        return {"allow": allowing(principal, target)}
    return {
        "denied_by": {
            "policy_id": rule.policy_id,
            "policy": rule.policy_name,
            "policy_version": rule.policy_version,
            "rule_id": rule.rule_id,
            "rule": rule.rule_name,
        }
    }


def allowing(principal: Principal, target: Tool | Offer) -> str:
    """The line of the command-line client that allows this use, ready for a shell."""
    environment = str(principal.snapshot.attributes["name"])
    what, more = target.name, []
    if target.action != USUAL:
        what, more = target.target, ["--action", target.action]
    words = ["--agent", principal.agent.slug, "--tool", what, "--env", environment, *more]
    return shlex.join(["agentxsuite", "policies", "allow", *words])
