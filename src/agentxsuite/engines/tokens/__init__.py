"""Who is calling? Sign and verify tokens, ours and others' (RFC 7519), and know other proofs."""

from agentxsuite.engines.tokens.certificates import (
    Certificate,
    CertificateInvalid,
    pinned_digest,
    read_certificate,
)
from agentxsuite.engines.tokens.claims import AgentClaims, TokenInvalid
from agentxsuite.engines.tokens.fingerprint import CERTIFICATE, SECRET, Fingerprints
from agentxsuite.engines.tokens.issue import issue
from agentxsuite.engines.tokens.issuers import Issuer, Issuers, IssuersInvalid, load_issuers
from agentxsuite.engines.tokens.keyfile import KeyFileInvalid
from agentxsuite.engines.tokens.keys import KeyRing, SigningKey
from agentxsuite.engines.tokens.keysets import FetchFailed, KeysAway
from agentxsuite.engines.tokens.outside import OutsideClaims, OutsideVerifier
from agentxsuite.engines.tokens.verify import Verifier

__all__ = [
    "CERTIFICATE",
    "SECRET",
    "AgentClaims",
    "Certificate",
    "CertificateInvalid",
    "FetchFailed",
    "Fingerprints",
    "Issuer",
    "Issuers",
    "IssuersInvalid",
    "KeyFileInvalid",
    "KeyRing",
    "KeysAway",
    "OutsideClaims",
    "OutsideVerifier",
    "SigningKey",
    "TokenInvalid",
    "Verifier",
    "issue",
    "load_issuers",
    "pinned_digest",
    "read_certificate",
]
