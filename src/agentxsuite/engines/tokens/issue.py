"""Sign an agent's claims."""

import jwt

from agentxsuite.engines.tokens.claims import AgentClaims, TokenInvalid, read_claims
from agentxsuite.engines.tokens.keys import KeyRing


def issue(claims: AgentClaims, ring: KeyRing) -> str:
    """A compact JWS over ``claims`` by the ring's signing key (RFC 8037 EdDSA).

    Raises ValueError for claims that would not verify: empty, over 24 hours, scopes with spaces.
    """
    payload = claims.payload()
    try:
        survives = read_claims(payload) == claims
    except TokenInvalid as error:
        raise ValueError(f"claims cannot be issued: {error}") from None
    if not survives:
        raise ValueError("claims cannot be issued: a scope is empty or contains white space")
    key = ring.signing
    return jwt.encode(payload, key.private, algorithm="EdDSA", headers={"kid": key.kid})
