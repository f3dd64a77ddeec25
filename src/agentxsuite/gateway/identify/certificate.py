"""An agent, by its pinned client certificate (mutual TLS, RFC 8705 section 2.2).

Whoever ended TLS has seen that the client has the private key; the pin says whose certificate it
is. Who signed it does not matter, so it may be self-signed.
"""

from agentxsuite.engines.tokens import (
    CERTIFICATE,
    Certificate,
    CertificateInvalid,
    read_certificate,
)
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Proof
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.identify.proven import bearer_of, login_by, principal_of
from agentxsuite.gateway.refusals import Unauthenticated


async def agent_by_certificate(shown: str, call: Call, gate: Gate) -> Principal:
    """Raise Unauthenticated for one that is not pinned or not valid now, Unavailable, Denied."""
    certificate = readable(shown)
    fingerprint = gate.fingerprints.of(call.organization, CERTIFICATE, certificate.digest)
    opened = await login_by(Proof(CERTIFICATE, fingerprint), call, gate)
    if opened is None:
        sentence = "No agent here has this client certificate."
        raise Unauthenticated("certificate_unknown", sentence)
    if not certificate.holds(call.received.timestamp()):
        sentence = "The client certificate has expired, or is not valid yet."
        raise Unauthenticated("certificate_expired", sentence, bearer_of(opened))
    return principal_of(opened, call, "mtls")


def readable(shown: str) -> Certificate:
    """The certificate in what the proxy tells; raises Unauthenticated."""
    try:
        return read_certificate(shown)
    except CertificateInvalid:
        sentence = "The client certificate cannot be read."
        raise Unauthenticated("certificate_unknown", sentence) from None
