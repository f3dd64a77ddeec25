"""Verify tokens of outside issuers: the operator says which, and by what algorithms."""

import asyncio
import hashlib
import math
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import jwt
from jwt.api_jws import PyJWS

from agentxsuite import wire
from agentxsuite.engines.tokens.claims import TokenInvalid
from agentxsuite.engines.tokens.issuers import ALGORITHMS, Issuer, Issuers
from agentxsuite.engines.tokens.jwks import OutsideKey
from agentxsuite.engines.tokens.keysets import Fetch, KeySet
from agentxsuite.wire import JSON

MAX_SIZE: Final = 8192  # characters; group lists make some issuers' tokens long
MAX_AUDIENCES: Final = 100
MAX_SUBJECT: Final = 255  # characters

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
# What a header may say. Thumbprints are told by some issuers and steer nothing here.
_HEADER: Final = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
# Tokens that an issuer signs for other ends must not pass for access (RFC 8725 section 3.11).
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True)
class OutsideClaims:
    """What an authentic token of an outside issuer says; times are Unix seconds."""

    issuer: Issuer
    subject: str
    audiences: frozenset[str]
    expires_at: float
    not_before: float
    issued_at: float

    def hold(self, now: float) -> None:
        """Raise TokenInvalid unless the token is valid at ``now``, give or take the leeway."""
        leeway = self.issuer.leeway_seconds
        if now >= self.expires_at + leeway:
            raise TokenInvalid("token_expired", "exp")
        if now + leeway < self.not_before:
            raise TokenInvalid("token_not_yet_valid", "nbf")
        if now + leeway < self.issued_at:
            raise TokenInvalid("token_not_yet_valid", "iat")


@dataclass(frozen=True, slots=True)
class _Known:
    """A signature that was checked, and the key it was checked with."""

    claims: OutsideClaims
    kid: str
    key: OutsideKey


class OutsideVerifier:
    """Verifies tokens of all trusted issuers, and remembers up to ``capacity`` good signatures.

    A remembered one counts only while the issuer still publishes its key. Whom a token is for is
    not judged here: its claims say so, and the service account says who it should be.
    """

    def __init__(self, issuers: Issuers, fetch: Fetch, capacity: int = 10_000) -> None:
        self._issuers = issuers
        self._keys = {name: KeySet(issuer, fetch) for name, issuer in issuers.items()}
        self._capacity = capacity
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._jws = PyJWS(algorithms=sorted(ALGORITHMS))

    def issuer(self, token: str) -> Issuer | None:
        """The trusted issuer that a token says it is from; nothing of it is believed yet."""
        if not self._issuers or len(token) > MAX_SIZE or not _COMPACT.fullmatch(token):
            return None
        try:
            payload = wire.loads(jwt.utils.base64url_decode(token.split(".")[1]))
        except (wire.WireError, ValueError):
            return None
        name = payload.get("iss") if isinstance(payload, dict) else None
        return self._issuers.get(name) if isinstance(name, str) else None

    async def verify(self, token: str, issuer: Issuer, now: float) -> OutsideClaims:
        """The claims of a token of ``issuer``; raises TokenInvalid, KeysAway.

        The issuer is the one that `issuer` found for this very token.
        """
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is None or not self._keys[issuer.issuer].current(known.kid, known.key):
            self._known.pop(digest, None)
            known = await self._authentic(token, issuer)
        known.claims.hold(now)
        self._known[digest] = known
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return known.claims

    async def aclose(self) -> None:
        """Give up what is being fetched."""
        await asyncio.gather(*(keys.aclose() for keys in self._keys.values()))

    async def _authentic(self, token: str, issuer: Issuer) -> _Known:
        """Algorithm, key, signature, and the shape of the claims."""
        algorithm, kid = self._header(token, issuer)
        key = await self._keys[issuer.issuer].key(kid)
        if key is None:
            raise TokenInvalid("token_unknown_key", "kid")
        if algorithm not in key.algorithms:
            raise TokenInvalid("token_wrong_algorithm", "alg")
        try:
            decoded = self._jws.decode_complete(token, key.public, algorithms=[algorithm])
            payload = wire.loads(decoded["payload"])
        except jwt.InvalidSignatureError:
            raise TokenInvalid("token_bad_signature") from None
        except (jwt.InvalidTokenError, wire.WireError):
            raise TokenInvalid("token_malformed") from None
        return _Known(read_outside(payload, issuer), kid, key)

    def _header(self, token: str, issuer: Issuer) -> tuple[str, str]:
        """Algorithm and key name; what could steer us elsewhere is refused."""
        try:
            header = self._jws.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise TokenInvalid("token_malformed") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in issuer.algorithms:
            raise TokenInvalid("token_wrong_algorithm", "alg")
        if not header.keys() <= _HEADER:  # jku, jwk, x5u, x5c, crit, b64, zip, ...
            raise TokenInvalid("token_malformed", "header")
        if str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise TokenInvalid("token_malformed", "typ")
        if not isinstance(kid, str):
            raise TokenInvalid("token_unknown_key", "kid")
        return str(algorithm), kid


def read_outside(payload: JSON, issuer: Issuer) -> OutsideClaims:
    """Claims of a signed payload: what RFC 9068 section 2.2 requires, each of its type.

    ``nbf`` may be left out. Raises TokenInvalid.
    """
    if not isinstance(payload, dict):
        raise TokenInvalid("token_malformed", "claims")
    if _present(payload, "iss") != issuer.issuer:
        raise TokenInvalid("token_wrong_issuer", "iss")
    subject = _present(payload, "sub")
    if not isinstance(subject, str) or not subject.isprintable() or not is_short(subject):
        raise TokenInvalid("token_bad_claim", "sub")
    claims = OutsideClaims(
        issuer=issuer,
        subject=subject,
        audiences=_audiences(payload),
        expires_at=_time(payload, "exp"),
        not_before=_time(payload, "nbf") if "nbf" in payload else -math.inf,
        issued_at=_time(payload, "iat"),
    )
    if claims.expires_at - claims.issued_at > issuer.max_lifetime_seconds:
        raise TokenInvalid("token_lifetime_too_long", "exp")
    return claims


def is_short(subject: str) -> bool:
    """Whether a service account could have it (OpenID Connect Core 1.0, section 2)."""
    return 0 < len(subject) <= MAX_SUBJECT


def _present(payload: Mapping[str, JSON], name: str) -> JSON:
    try:
        return payload[name]
    except KeyError:
        raise TokenInvalid("token_missing_claim", name) from None


def _time(payload: Mapping[str, JSON], name: str) -> float:
    """A NumericDate (RFC 7519 section 2), which may have a fraction."""
    value = _present(payload, name)
    if type(value) not in {int, float}:  # a bool is an int to isinstance
        raise TokenInvalid("token_bad_claim", name)
    return float(value)  # never too large for one: our parser takes none beyond


def _audiences(payload: Mapping[str, JSON]) -> frozenset[str]:
    """One audience or a list of them (RFC 7519 section 4.1.3)."""
    value = _present(payload, "aud")
    listed = value if isinstance(value, list) else [value]
    if len(listed) > MAX_AUDIENCES or not all(isinstance(each, str) and each for each in listed):
        raise TokenInvalid("token_bad_claim", "aud")
    return frozenset(listed)
