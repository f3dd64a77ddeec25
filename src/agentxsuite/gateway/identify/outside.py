"""An agent, by a token of an outside issuer that the operator trusts (OpenID Connect, RFC 9068)."""

from agentxsuite.engines.tokens import Issuer, KeysAway, OutsideClaims, TokenInvalid
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Proof
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.identify.proven import bearer_of, login_by, principal_of
from agentxsuite.gateway.refusals import Unauthenticated, Unavailable


async def agent_by_outside_token(token: str, issuer: Issuer, call: Call, gate: Gate) -> Principal:
    """Signature and times by the issuer's own keys; whom it is for, by the service account.

    Raises Unauthenticated, Unavailable, Malformed, Denied.
    """
    if not issuer.serves(call.organization):
        sentence = "This issuer's tokens are not accepted here."
        raise Unauthenticated("token_wrong_issuer", sentence)
    claims = await verified(token, issuer, call, gate)
    opened = await login_by(Proof("oidc", issuer.issuer, claims.subject), call, gate)
    if opened is None:
        sentence = "No service account here has this token's issuer and subject."
        raise Unauthenticated("token_unknown_subject", sentence)
    if opened[1].audience not in claims.audiences:
        sentence = "This token is for another audience than its service account says."
        raise Unauthenticated("token_wrong_audience", sentence, bearer_of(opened))
    return principal_of(opened, call, "oidc")


async def verified(token: str, issuer: Issuer, call: Call, gate: Gate) -> OutsideClaims:
    """What an authentic token says; raises Unauthenticated, Unavailable."""
    try:
        return await gate.outside.verify(token, issuer, call.received.timestamp())
    except TokenInvalid as invalid:
        raise refused(invalid) from None
    except KeysAway:
        sentence = "The keys of the token's issuer cannot be had: try again."
        raise Unavailable("issuer_unavailable", sentence, 10.0) from None


def refused(invalid: TokenInvalid) -> Unauthenticated:
    """The refusal of a token that proves nothing."""
    what = invalid.code.removeprefix("token_").replace("_", " ")
    return Unauthenticated(invalid.code, f"The token is not accepted: {what}.")
