"""Who is calling? A credential becomes a principal, or the call ends with 401.

Each way to show who one is has a file here.
"""

from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.identify.issued import agent_by_token
from agentxsuite.gateway.identify.person import person_by_login
from agentxsuite.gateway.refusals import Unauthenticated

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
