"""Verify agent tokens: EdDSA only, keys from our ring only, every claim required."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.api_jws import PyJWS

from agentxsuite import wire
from agentxsuite.engines.tokens.claims import AgentClaims, TokenInvalid, read_claims
from agentxsuite.engines.tokens.keys import KeyRing

MAX_SIZE: Final = 4096  # characters; ours have about 700

# Three base64url parts; an Ed25519 signature is 64 bytes, so always 86 characters.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}", re.ASCII)
_HEADER: Final = frozenset({"alg", "kid", "typ"})

Audience = str | Callable[[AgentClaims], str]


class Verifier:
    """Verifies tokens of one issuer and remembers up to ``capacity`` good ones until they expire.

    What is remembered is the signature check alone: audience and times are judged on every call.
    Revocation is not known here. Nothing unverified ever leaves this class.
    """

    def __init__(self, ring: KeyRing, issuer: str, capacity: int = 10_000) -> None:
        self._ring = ring
        self._issuer = issuer
        self._capacity = capacity
        self._known: OrderedDict[bytes, AgentClaims] = OrderedDict()
        self._jws = PyJWS(algorithms=["EdDSA"])

    def verify(self, token: str, audience: Audience, now: float) -> AgentClaims:
        """The claims of ``token``, if it is ours, for ``audience`` and valid at ``now``.

        ``audience`` is the address that was called or, where only the token says which, a function
        from its authentic claims to that address. ``now`` is in Unix seconds. Raises TokenInvalid.
        """
        if len(token) > MAX_SIZE:
            raise TokenInvalid("token_too_large")
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        claims = known or self._authentic(token)
        try:
            claims.hold(audience if isinstance(audience, str) else audience(claims), now)
        except TokenInvalid:
            self._known.pop(digest, None)
            raise
        if known is None:
            self._remember(digest, claims)
        return claims

    def forget(self, jti: str) -> None:
        """Drop what is remembered of that token."""
        for digest in [digest for digest, claims in self._known.items() if claims.jti == jti]:
            del self._known[digest]

    def trust(self, ring: KeyRing) -> None:
        """Verify by ``ring`` from now on; nothing checked by the old one is remembered."""
        self._ring = ring
        self._known.clear()

    def _remember(self, digest: bytes, claims: AgentClaims) -> None:
        self._known[digest] = claims
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)

    def _authentic(self, token: str) -> AgentClaims:
        """Signature, shape and issuer."""
        if not _COMPACT.fullmatch(token):
            raise TokenInvalid("token_malformed")
        key = self._key(token)
        try:
            payload = self._jws.decode_complete(token, key, algorithms=["EdDSA"])["payload"]
            claims = read_claims(wire.loads(payload))
        except jwt.InvalidSignatureError:
            raise TokenInvalid("token_bad_signature") from None
        except (jwt.InvalidTokenError, wire.WireError):
            raise TokenInvalid("token_malformed") from None
        if claims.issuer != self._issuer:
            raise TokenInvalid("token_wrong_issuer", "iss")
        return claims

    def _key(self, token: str) -> Ed25519PublicKey:
        """The key the header names; anything in it that could steer us elsewhere is refused."""
        try:
            header = self._jws.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise TokenInvalid("token_malformed") from None
        if header.get("alg") != "EdDSA":
            raise TokenInvalid("token_wrong_algorithm", "alg")
        if not header.keys() <= _HEADER:  # jku, jwk, x5u, x5c, crit, b64, ...
            raise TokenInvalid("token_malformed", "header")
        key = self._ring.public(header["kid"]) if "kid" in header else None
        if key is None:
            raise TokenInvalid("token_unknown_key", "kid")
        return key
