"""State that a caller carries for us and cannot change: sealed by an HMAC (RFC 2104). Pure.

A sealed text is ``<payload>.<mac>``, both in base64url. What it is bound to is in the mac alone:
who brings it back has to be the same, and ask for the same.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agentxsuite import wire
from agentxsuite.wire import JSON


class SealBroken(Exception):
    """The text is not one that we sealed for this, or it is too old."""


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals with the first of its keys; what was sealed with any of them is opened."""

    keys: tuple[bytes, ...] = field(repr=False)

    def seal(self, value: JSON, bound: Sequence[str], expires: datetime) -> str:
        """A text that holds a value, which anybody may read, until ``expires``."""
        payload = wire.dumps([int(expires.timestamp()), value])
        return f"{encoded(payload)}.{encoded(mac(self.keys[0], payload, bound))}"

    def open(self, text: str, bound: Sequence[str], now: datetime) -> JSON:
        """The value that was sealed for the same things; raises SealBroken."""
        payload, given = map(decoded, parts_of(text))
        if not any(hmac.compare_digest(given, mac(key, payload, bound)) for key in self.keys):
            raise SealBroken
        expires, value = wire.loads(payload)
        if now.timestamp() > expires:
            raise SealBroken
        return value


def parts_of(text: str) -> tuple[str, str]:
    """The payload and the mac, as they are written."""
    payload, _, given = text.partition(".")
    return payload, given


def mac(key: bytes, payload: bytes, bound: Sequence[str]) -> bytes:
    """The proof; every part has its length before it, so that none can pass for another."""
    proof = hmac.new(key, digestmod=hashlib.sha256)
    for part in (payload, *(text.encode() for text in bound)):
        proof.update(b"%d:%b" % (len(part), part))
    return proof.digest()


def encoded(raw: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """What ``encoded`` made; raises SealBroken for any other spelling."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise SealBroken from None
    if encoded(raw) != text:
        raise SealBroken
    return raw
