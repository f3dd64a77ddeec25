"""Authenticated encryption (AES-256-GCM, NIST SP 800-38D), bound to the place of what it hides.

A sealed text is one byte of format version, a random nonce of 12 bytes, ciphertext and tag. What
is bound is not stored in it: whoever opens it must know where it belongs, so that a sealed text
that was copied to another row, tenant or purpose does not open there.
"""

import secrets
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agentxsuite import wire

FORMAT = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12


class CannotOpen(Exception):
    """A sealed text that was altered, moved, or sealed with another key."""


class Place(Protocol):
    """Where a sealed text belongs."""

    def bound(self) -> bytes:
        """Return the one spelling of the place."""
        ...


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """One version of one secret, in its tenant, for its purpose."""

    organization: UUID
    environment: UUID | None
    secret: UUID
    version: int
    purpose: str

    def bound(self) -> bytes:
        """Return the one spelling of the place."""
        environment = None if self.environment is None else str(self.environment)
        owner = [str(self.organization), environment]
        return wire.dumps(["secret", *owner, str(self.secret), self.version, self.purpose])


@dataclass(frozen=True, slots=True)
class DataKeyPlace:
    """One data key of one organization, under one key-encryption key."""

    organization: UUID
    number: int
    wrapped_by: str

    def bound(self) -> bytes:
        """Return the one spelling of the place."""
        return wire.dumps(["data-key", str(self.organization), self.number, self.wrapped_by])


def new_key() -> bytes:
    """Return a fresh key of 256 bits."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, plain: bytes, place: Place) -> bytes:
    """Encrypt `plain` for `place`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, FORMAT + place.bound())


def unseal(key: bytes, sealed: bytes, place: Place) -> bytes:
    """Decrypt what was sealed for `place`; raises CannotOpen."""
    form, nonce, hidden = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    if form != FORMAT:
        raise CannotOpen("unknown format")
    try:
        return AESGCM(key).decrypt(nonce, hidden, form + place.bound())
    except (InvalidTag, ValueError):  # ValueError: it was cut short
        raise CannotOpen("altered, moved, or of another key") from None
