"""Who is calling? Sign and verify the JWTs of agents (EdDSA, RFC 7519, RFC 8037)."""

from agentxsuite.engines.tokens.claims import AgentClaims, TokenInvalid
from agentxsuite.engines.tokens.issue import issue
from agentxsuite.engines.tokens.keyfile import KeyFileInvalid
from agentxsuite.engines.tokens.keys import KeyRing, SigningKey
from agentxsuite.engines.tokens.verify import Verifier

__all__ = [
    "AgentClaims",
    "KeyFileInvalid",
    "KeyRing",
    "SigningKey",
    "TokenInvalid",
    "Verifier",
    "issue",
]
