"""An agent that only says who it is: for development, where the server and the environment allow.

Every refusal is the same 401, so that names are no use to somebody who tries them out.
"""

from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Proof
from agentxsuite.gateway.gate import Gate, Question
from agentxsuite.gateway.identify.proven import Opened, principal_of
from agentxsuite.gateway.refusals import Unauthenticated

OPEN_TYPE = "dev"  # of environments


async def agent_by_name(name: str, call: Call, gate: Gate) -> Principal:
    """Raise Unauthenticated for all but an open agent of a development environment, Denied."""
    opened = await opened_by(name, call, gate) if gate.by_name else None
    if opened is None:
        sentence = "X-Agent is not enough here: send 'Authorization: Bearer ...'."
        raise Unauthenticated("unauthenticated", sentence)
    return principal_of(opened, call, "none")


async def opened_by(name: str, call: Call, gate: Gate) -> Opened | None:
    """The login of the agent of that slug or id, in the environment that is meant."""
    slug = None if call.environment else name
    found = await gate.directory.environments(call.organization, call.environment, slug)
    if len(found) != 1:
        return None
    facts = await gate.directory.ask(Question(call.organization, environment=found[0]))
    snapshot = facts.snapshot
    if snapshot is None or snapshot.attributes["type"] != OPEN_TYPE:
        return None
    agent = snapshot.agent(name.lower())
    login = snapshot.by_proof.get(Proof("none", agent.id)) if agent else None
    return (snapshot, login) if login else None
