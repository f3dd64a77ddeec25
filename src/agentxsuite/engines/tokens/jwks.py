"""The public keys of an outside issuer (RFC 7517), taken only where nothing is doubtful."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from agentxsuite import wire
from agentxsuite.wire import JSON

MAX_KEYS: Final = 100
MAX_NAME: Final = 500  # characters of a `kid`
LEAST_RSA_BITS: Final = 2048  # NIST SP 800-131A
MOST_RSA_BITS: Final = 8192  # a check by a longer one takes milliseconds

# Which algorithms a key can be for, by its type and curve (RFC 7518 section 6, RFC 8037).
FITTING: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("RSA", ""): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}


class KeysInvalid(Exception):
    """An answer that is no set of keys."""


class OutsideKey:
    """One public key and the algorithms it may verify."""

    __slots__ = ("_jwk", "algorithms", "public")

    def __init__(self, jwk: Mapping[str, JSON], public: Any, algorithms: frozenset[str]) -> None:
        self._jwk = jwk
        self.public = public
        self.algorithms = algorithms

    def __eq__(self, other: object) -> bool:
        """Two readings of the same key are the same."""
        return isinstance(other, OutsideKey) and self._jwk == other._jwk

    def __hash__(self) -> int:
        return hash(wire.dumps(dict(self._jwk)))


Keys = Mapping[str, OutsideKey]


def read_keys(body: bytes) -> Keys:
    """The usable keys of a JWK Set by their `kid`; raises KeysInvalid.

    Left out are keys of other kinds (symmetric ones above all), for encryption, without a name,
    too weak, broken, and all that share a name: nobody could say which of them is meant.
    """
    try:
        listed = wire.loads(body)["keys"]
    except (wire.WireError, KeyError, TypeError):
        raise KeysInvalid("The answer is no JWK Set.") from None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise KeysInvalid(f"The answer is no list of at most {MAX_KEYS} keys.")
    named = [jwk for jwk in listed if is_named(jwk)]
    times = Counter(jwk["kid"] for jwk in named)
    read = {jwk["kid"]: read_key(jwk) for jwk in named if times[jwk["kid"]] == 1}
    return {kid: key for kid, key in read.items() if key is not None}


def is_named(jwk: JSON) -> bool:
    """Whether it is a key that a token can name."""
    if not isinstance(jwk, dict):
        return False
    kid = jwk.get("kid")
    return isinstance(kid, str) and 0 < len(kid) <= MAX_NAME


def read_key(jwk: Mapping[str, JSON]) -> OutsideKey | None:
    """One key for signatures; None for any other, or one too weak to prove something."""
    algorithms = fitting(jwk)
    if not algorithms or "d" in jwk or not is_for_signatures(jwk):
        return None  # with "d" its private half is known to whoever asks
    try:
        public = jwt.PyJWK(dict(jwk), algorithm=min(algorithms)).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if isinstance(public, RSAPublicKey) and not is_strong(public):
        return None
    return OutsideKey(jwk, public, algorithms)


def fitting(jwk: Mapping[str, JSON]) -> frozenset[str]:
    """The algorithms that the key can be for; its own word (`alg`) narrows them."""
    kind, curve, own = jwk.get("kty"), jwk.get("crv", ""), jwk.get("alg")
    if not isinstance(kind, str) or not isinstance(curve, str):
        return frozenset()
    known = FITTING.get((kind, curve), frozenset())
    return known if own is None else known & {own if isinstance(own, str) else ""}


def is_for_signatures(jwk: Mapping[str, JSON]) -> bool:
    """Whether `use` and `key_ops`, where given, say that it verifies (RFC 7517 section 4)."""
    uses = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(uses, list) and "verify" in uses


def is_strong(public: RSAPublicKey) -> bool:
    """Whether an RSA key is long enough to trust and short enough to use."""
    return LEAST_RSA_BITS <= public.key_size <= MOST_RSA_BITS
