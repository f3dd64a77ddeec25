"""An agent, by a static secret: found by its keyed fingerprint, so that nothing is decrypted.

Guessing is slow: an address whose refusals came too fast has to wait before it is looked at again.
"""

from agentxsuite.engines.tokens import SECRET
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Proof
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.identify.proven import login_by, principal_of
from agentxsuite.gateway.refusals import Throttled, Unauthenticated


async def agent_by_secret(secret: str, call: Call, gate: Gate) -> Principal:
    """Raise Unauthenticated for an unknown secret, Throttled, Unavailable, Malformed, Denied."""
    stop_guessing(call, gate)
    fingerprint = gate.fingerprints.of(call.organization, SECRET, secret)
    opened = await login_by(Proof(SECRET, fingerprint), call, gate)
    if opened is None:
        raise Unauthenticated("token_unknown", "This credential is unknown here, or has expired.")
    return principal_of(opened, call, "static_secret")


def stop_guessing(call: Call, gate: Gate) -> None:
    """Refuse an address whose refusals came too fast; raises Throttled."""
    wait = gate.refusals.wait(f"address:{call.address}")
    if wait > 0:
        sentence = "Too many refused credentials from this address: wait and try again."
        raise Throttled("too_many_refusals", sentence, wait)
