"""An agent, by a token that we issued."""

from agentxsuite.engines.pdp import Agent, Member, barred
from agentxsuite.engines.tokens import AgentClaims, TokenInvalid
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Snapshot
from agentxsuite.gateway.gate import Facts, Gate, Question
from agentxsuite.gateway.identify.naming import check_named
from agentxsuite.gateway.identify.outside import agent_by_outside_token, refused
from agentxsuite.gateway.refusals import Bearer, Unauthenticated


async def agent_by_token(token: str, call: Call, gate: Gate) -> Principal:
    """An agent, by a token we issued: signature, claims, audience, and that it still stands.

    One that is not ours may be of an issuer that the operator trusts.
    """
    try:
        claims = verified(token, call, gate)
    except Unauthenticated:
        issuer = gate.outside.issuer(token)
        if issuer is None:
            raise
        return await agent_by_outside_token(token, issuer, call, gate)
    check_address(claims, call)
    facts = await gate.directory.ask(
        Question(call.organization, environment=claims.environment, token_id=claims.jti)
    )
    snapshot, agent = living_agent(claims, facts)
    check_named(agent, call)
    member = person_behind(claims, snapshot)
    return Principal(snapshot, agent, member, claims.scopes, "oauth" if member else "agent_token")


def verified(token: str, call: Call, gate: Gate) -> AgentClaims:
    """The claims of a token for this address; raises Unauthenticated.

    A token opens the doors of its own environment and no other (RFC 8707).
    """

    def audience(claims: AgentClaims) -> str:
        return gate.address(claims.organization, claims.environment)

    try:
        claims = gate.verifier.verify(token, audience, call.received.timestamp())
    except TokenInvalid as invalid:
        raise refused(invalid) from None
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


def person_behind(claims: AgentClaims, snapshot: Snapshot) -> Member | None:
    """Who logged in and chose this agent, if anybody did, while they may still run as it."""
    if claims.user is None:
        return None
    member = snapshot.members.get(claims.user)
    if member is None or barred(member):
        sentence = "Whoever logged in may not run agents here any more."
        raise Unauthenticated("login_ended", sentence, bearer_of(claims))
    return member
