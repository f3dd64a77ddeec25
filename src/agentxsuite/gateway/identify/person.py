"""A person with a login token, running as an agent."""

import hashlib

from agentxsuite.engines.pdp import Member, barred
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Snapshot
from agentxsuite.gateway.gate import Facts, Gate, Question
from agentxsuite.gateway.identify.naming import environments_of, no_agent
from agentxsuite.gateway.refusals import Denied, Malformed


async def person_by_login(token: str, call: Call, gate: Gate) -> Principal | None:
    """A person with a login token, running as an agent of an organization of theirs.

    None for what is no login token; people call by REST alone. Raises Unknown, Malformed, Denied.
    """
    if call.door != "rest":
        return None
    digest = hashlib.sha512(token.encode()).hexdigest()
    known = await gate.directory.ask(Question(call.organization, login_digest=digest))
    if known.user is None:
        return None
    environment, *others = await environments_of(call, gate)
    facts = await gate.directory.ask(
        Question(call.organization, environment=environment, login_digest=digest)
    )
    snapshot, member = membership(known.user, facts)
    if others:
        raise Malformed("environment_missing", "Several environments have it: name one.")
    agent = snapshot.agent(call.agent or "")
    if agent is None:
        raise no_agent()
    if told := barred(member):
        raise Denied(*told, listed=True)
    return Principal(snapshot, agent, member, None, "login")


def membership(user: str, facts: Facts) -> tuple[Snapshot, Member]:
    """A person's active membership; a stranger does not even learn that the agent is there."""
    member = facts.snapshot.members.get(user) if facts.snapshot else None
    if facts.snapshot is None or member is None or facts.user != user:
        raise no_agent()
    return facts.snapshot, member
