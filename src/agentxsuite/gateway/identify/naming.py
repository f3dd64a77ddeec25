"""Which agent, and which environment, a call names beside its credential."""

from collections.abc import Sequence

from agentxsuite.engines.pdp import Agent
from agentxsuite.gateway.call import Call
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.refusals import Denied, Malformed, Unknown


def check_named(agent: Agent, call: Call) -> None:
    """An agent runs as itself: naming another in the body is refused."""
    if call.agent is not None and call.agent.lower() not in (agent.id, agent.slug):
        raise Denied("agent_mismatch", "An agent's token runs as that agent only.", listed=True)


async def environments_of(call: Call, gate: Gate) -> Sequence[str]:
    """The environments a person may mean: the named one, or all that have the agent."""
    if call.agent is None:
        raise Malformed("agent_missing", "Name the agent to run as, by its id or slug: 'agent'.")
    if call.environment:
        found = await gate.directory.environments(call.organization, call.environment)
    else:
        found = await gate.directory.environments(call.organization, agent=call.agent)
    if not found:
        raise no_agent()
    return found


def no_agent() -> Unknown:
    """The refusal of an agent that is not there, or in no organization of the caller's."""
    return Unknown("agent_unknown", "There is no such agent here.")
