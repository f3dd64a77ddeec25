"""Who is calling? A credential becomes a principal, or the call ends with 401.

Each way to show who one is has a file here, and a name in the record (`context.auth_method`):

    Authorization: Bearer <signed token>   issued.py       agent_token
                                           outside.py      oidc
    Authorization: Bearer <other text>     person.py       login
                                           secret.py       static_secret
    a client certificate                   certificate.py  mtls
    X-Agent: <id or slug>                  named.py        none

A call with an Authorization header is judged by that alone, whatever else it shows.
"""

from agentxsuite import masking
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.identify.certificate import agent_by_certificate
from agentxsuite.gateway.identify.issued import agent_by_token
from agentxsuite.gateway.identify.named import agent_by_name
from agentxsuite.gateway.identify.person import person_by_login
from agentxsuite.gateway.identify.secret import agent_by_secret
from agentxsuite.gateway.refusals import Unauthenticated

SCHEMES = ("bearer", "token")


async def identify(call: Call, gate: Gate) -> Principal:
    """Verify the call's credential.

    Raises Unauthenticated, Unknown, Denied, Malformed, Throttled or Unavailable.
    """
    if call.credential is None and call.certificate is not None:
        return await agent_by_certificate(call.certificate, call, gate)
    if call.credential is None and call.named is not None:
        return await agent_by_name(call.named, call, gate)
    token = bearer(call.credential)
    principal = await principal_by(token, call, gate)
    masking.learn(token)
    return principal


async def principal_by(token: str, call: Call, gate: Gate) -> Principal:
    """Verify what stands after `Bearer`, by what it looks like; raises as `identify`."""
    if token.count(".") == 2:  # noqa: PLR2004  -- header.claims.signature (RFC 7519)
        return await agent_by_token(token, call, gate)
    person = await person_by_login(token, call, gate)
    return person or await agent_by_secret(token, call, gate)


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header (RFC 6750 section 2.1)."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    if not token:
        raise Unauthenticated("unauthenticated", "Send a token: 'Authorization: Bearer ...'.")
    if scheme.lower() not in SCHEMES:
        raise Unauthenticated("unauthenticated", f"The scheme '{scheme[:20]}' is not accepted.")
    return token.strip()
