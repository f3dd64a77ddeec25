"""Which agent, and which environment, a call names beside its credential."""

from agentxsuite.engines.pdp import Agent
from agentxsuite.gateway.call import Call
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.refusals import Denied, Malformed, Unknown


def check_named(agent: Agent, call: Call) -> None:
    """An agent runs as itself: naming another in the body is refused."""
    if call.agent is not None and call.agent.lower() not in (agent.id, agent.slug):
        raise Denied("agent_mismatch", "An agent's token runs as that agent only.", listed=True)


async def environment_of(call: Call, gate: Gate) -> str:
    """The environment a person means: the named one, or the only one that has the agent."""
    reference = call.environment or call.agent
    if reference is None:
        raise Malformed("agent_missing", 'Name the agent to run as: {"agent": id or slug}.')
    found = await gate.directory.environments(call.organization, reference)
    if not found:
        raise Unknown("agent_unknown", "There is no such agent here.")
    if len(found) > 1:
        raise Malformed("environment_missing", "Several environments have it: name one.")
    return found[0]
