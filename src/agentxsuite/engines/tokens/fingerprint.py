"""Keyed fingerprints: by them a credential is found that nobody has to decrypt or can guess.

HMAC-SHA256 (RFC 2104) over the tenant, the kind and the value, each set off from the next, with a
key that is made of the server's own for this alone (HKDF, RFC 5869). Equal values of two tenants,
or of two kinds, have nothing in common.
"""

import hmac
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET: Final = "secret"  # noqa: S105  -- a kind of credential, not one
CERTIFICATE: Final = "certificate"
PURPOSE: Final = b"agentxsuite inbound credentials v1"


class Fingerprints:
    """Makes fingerprints; ``key`` is a secret of the server, the same on every worker."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(key)

    def of(self, organization: str, kind: str, value: str) -> str:
        """64 hex digits for a value, which may be any text; `organization` is in canonical form."""
        parts = (part.encode("utf-8", "surrogatepass") for part in (organization, kind, value))
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha256").hex()
