"""The agent that a proof is of: what outside tokens, secrets and certificates have in common."""

from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Login, Proof, Snapshot
from agentxsuite.gateway.gate import Gate, Question
from agentxsuite.gateway.identify.naming import check_named
from agentxsuite.gateway.refusals import Bearer, Malformed

Opened = tuple[Snapshot, Login]


async def login_by(proof: Proof, call: Call, gate: Gate) -> Opened | None:
    """The login that the proof opens, as things are now; None where it opens none.

    Raises Malformed where several environments know the proof, and Unavailable.
    """
    home = await home_of(proof, call, gate)
    if home is None:
        return None
    facts = await gate.directory.ask(Question(call.organization, environment=home))
    login = facts.snapshot.by_proof.get(proof) if facts.snapshot else None
    return (facts.snapshot, login) if facts.snapshot and login else None


async def home_of(proof: Proof, call: Call, gate: Gate) -> str | None:
    """The environment that is addressed, else the only one that knows the proof, if any."""
    if call.door == "mcp":
        return call.environment
    found = await gate.directory.homes(call.organization, proof)
    if call.environment is not None:
        named = await gate.directory.environments(call.organization, call.environment)
        found = [each for each in found if each in named]
    if len(found) > 1:
        raise Malformed("environment_missing", "Several environments know this agent: name one.")
    return next(iter(found), None)


def principal_of(opened: Opened, call: Call, auth_method: str) -> Principal:
    """The agent behind a login, as itself; raises Denied where the call names another."""
    snapshot, login = opened
    agent = snapshot.agents[login.agent]
    check_named(agent, call)
    return Principal(snapshot, agent, None, login.scopes, auth_method)


def bearer_of(opened: Opened) -> Bearer:
    """Whose credential it is, for the record of its misuse."""
    snapshot, login = opened
    return Bearer(snapshot.organization, snapshot.environment, login.agent)
