"""Who is calling? A credential becomes a principal, or the call ends with 401."""

import hashlib

from agentxsuite.engines.pdp import Agent, Member, barred
from agentxsuite.engines.tokens import AgentClaims, TokenInvalid
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Snapshot
from agentxsuite.gateway.gate import Facts, Gate, Question
from agentxsuite.gateway.refusals import Bearer, Denied, Malformed, Unauthenticated, Unknown

SCHEMES = ("bearer", "token")


async def identify(call: Call, gate: Gate) -> Principal:
    """Verify the call's credential; raises Unauthenticated, Unknown, Denied or Malformed."""
    token = bearer(call.credential)
    if token.count(".") == 2:  # noqa: PLR2004  -- header.claims.signature (RFC 7519)
        return await agent_by_token(token, call, gate)
    return await person_by_login(token, call, gate)


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header (RFC 6750 section 2.1)."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    if not token:
        raise Unauthenticated("unauthenticated", "Send a token: 'Authorization: Bearer ...'.")
    if scheme.lower() not in SCHEMES:
        raise Unauthenticated("unauthenticated", f"The scheme '{scheme[:20]}' is not accepted.")
    return token.strip()


async def agent_by_token(token: str, call: Call, gate: Gate) -> Principal:
    """An agent, by a token we issued: signature, claims, audience, and that it still stands."""
    claims = verified(token, call, gate)
    check_address(claims, call)
    facts = await gate.directory.ask(
        Question(call.organization, environment=claims.environment, token_id=claims.jti)
    )
    snapshot, agent = living_agent(claims, facts)
    check_named(agent, call)
    return Principal(snapshot, agent, None, claims.scopes, "agent_token")


def verified(token: str, call: Call, gate: Gate) -> AgentClaims:
    """The claims of a token for this address; raises Unauthenticated.

    A token opens the doors of its own environment and no other (RFC 8707).
    """

    def audience(claims: AgentClaims) -> str:
        return gate.address(claims.organization, claims.environment)

    try:
        claims = gate.verifier.verify(token, audience, call.received.timestamp())
    except TokenInvalid as invalid:
        what = invalid.code.removeprefix("token_").replace("_", " ")
        raise Unauthenticated(invalid.code, f"The token is not accepted: {what}.") from None
    return claims


def check_address(claims: AgentClaims, call: Call) -> None:
    """The address that was called must be the one the token names; raises Unauthenticated."""
    environments = (None, claims.environment)
    if claims.organization != call.organization or call.environment not in environments:
        sentence = "This token was issued for another address."
        raise Unauthenticated("token_wrong_audience", sentence, bearer_of(claims))


def bearer_of(claims: AgentClaims) -> Bearer:
    """Whose token it is, for the record of its misuse."""
    return Bearer(claims.organization, claims.environment, claims.agent, claims.jti)


def living_agent(claims: AgentClaims, facts: Facts) -> tuple[Snapshot, Agent]:
    """The agent behind the claims, if its token has not been revoked or deleted."""
    if not facts.token_live:
        raise Unauthenticated("token_revoked", "This token has been revoked.", bearer_of(claims))
    agent = facts.snapshot.agents.get(claims.agent) if facts.snapshot else None
    if facts.snapshot is None or agent is None:
        sentence = "This token's agent no longer exists."
        raise Unauthenticated("agent_unknown", sentence, bearer_of(claims))
    return facts.snapshot, agent


def check_named(agent: Agent, call: Call) -> None:
    """An agent runs as itself: naming another in the body is refused."""
    if call.agent is not None and call.agent.lower() not in (agent.id, agent.slug):
        raise Denied("agent_mismatch", "An agent's token runs as that agent only.", listed=True)


async def person_by_login(token: str, call: Call, gate: Gate) -> Principal:
    """A person with a login token, running as an agent of an organization of theirs."""
    if call.door != "rest":
        raise Unauthenticated("unauthenticated", "This door takes an agent's token.")
    digest = hashlib.sha512(token.encode()).hexdigest()
    known = await gate.directory.ask(Question(call.organization, login_digest=digest))
    if known.user is None:
        raise Unauthenticated("unauthenticated", "This login token is unknown or has expired.")
    environment = await environment_of(call, gate)
    facts = await gate.directory.ask(
        Question(call.organization, environment=environment, login_digest=digest)
    )
    snapshot, member = membership(known.user, facts)
    agent = snapshot.agent(call.agent or "")
    if agent is None:
        raise Unknown("agent_unknown", "There is no such agent here.")
    if told := barred(member):
        raise Denied(*told, listed=True)
    return Principal(snapshot, agent, member, None, "login")


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


def membership(user: str, facts: Facts) -> tuple[Snapshot, Member]:
    """A person's active membership; a stranger learns nothing of the organization."""
    member = facts.snapshot.members.get(user) if facts.snapshot else None
    if facts.snapshot is None or member is None or facts.user != user:
        raise Unknown("not_found", "There is nothing here that you may see.")
    return facts.snapshot, member
