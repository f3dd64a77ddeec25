"""Signing keys and the ring they hang on; the ring is the only table a ``kid`` is looked up in."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agentxsuite import wire
from agentxsuite.engines.tokens import keyfile
from agentxsuite.wire import JSON


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """An Ed25519 key pair; ``kid`` is its RFC 7638 thumbprint, so a name cannot be moved."""

    kid: str
    private: Ed25519PrivateKey = field(repr=False)
    public: Ed25519PublicKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """A fresh key from the operating system's randomness."""
        return cls._around(Ed25519PrivateKey.generate())

    @classmethod
    def from_jwk(cls, jwk: JSON) -> Self:
        """The key of a private OKP JWK (RFC 8037); raises ValueError."""
        match jwk:
            case {"kty": "OKP", "crv": "Ed25519", "d": str(seed)}:
                padded = seed + "=" * (-len(seed) % 4)
                return cls._around(Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(padded)))
        raise ValueError("not a private Ed25519 JWK")

    @classmethod
    def _around(cls, private: Ed25519PrivateKey) -> Self:
        public = private.public_key()
        return cls(_thumbprint(public), private, public)

    def private_jwk(self) -> dict[str, str]:
        """RFC 8037 JWK with the secret seed: for the key file alone."""
        return {**_members(self.public), "d": _encode(self.private.private_bytes_raw())}

    def public_jwk(self) -> dict[str, str]:
        """RFC 8037 JWK that anyone may read."""
        return {**_members(self.public), "kid": self.kid, "use": "sig", "alg": "EdDSA"}


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys that verify, newest first; the first one signs. A ring never changes: make a new one."""

    keys: tuple[SigningKey, ...]

    @property
    def signing(self) -> SigningKey:
        """The key that signs new tokens."""
        return self.keys[0]

    @classmethod
    def generate(cls) -> Self:
        """A ring of one fresh key, in memory."""
        return cls((SigningKey.generate(),))

    @classmethod
    def create(cls, path: Path) -> Self:
        """A fresh ring in a new file of mode 0600; raises FileExistsError."""
        ring = cls.generate()
        keyfile.create(path, _document(ring))
        return ring

    @classmethod
    def load(cls, path: Path) -> Self:
        """The ring in ``path``; raises KeyFileInvalid, or OSError when it cannot be read."""
        document = keyfile.read(path)
        try:
            keys = tuple(SigningKey.from_jwk(jwk) for jwk in wire.loads(document)["keys"])
        except (ValueError, KeyError, TypeError):
            keys = ()
        if not keys:  # say no more: the file's content is a secret
            raise keyfile.KeyFileInvalid(f"{path}: not a set of Ed25519 keys")
        return cls(keys)

    def save(self, path: Path) -> None:
        """Replace the file at ``path`` in one step, mode 0600."""
        keyfile.replace(path, _document(self))

    def public(self, kid: str) -> Ed25519PublicKey | None:
        """The public key of that exact name, if it is ours."""
        return next((key.public for key in self.keys if key.kid == kid), None)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The JWK Set to publish (RFC 7517, section 5)."""
        return {"keys": [key.public_jwk() for key in self.keys]}

    def derived(self, purpose: bytes) -> tuple[bytes, ...]:
        """A secret for another purpose from each key, 32 bytes (HKDF, RFC 5869), newest first."""
        return tuple(
            HKDF(SHA256(), 32, salt=None, info=purpose).derive(key.private.private_bytes_raw())
            for key in self.keys
        )

    def rotate(self) -> Self:
        """A ring whose new key signs; the old ones keep verifying until dropped."""
        return type(self)((SigningKey.generate(), *self.keys))

    def drop(self, kid: str) -> Self:
        """A ring without that key; raises ValueError for the signing key or an unknown one."""
        rest = tuple(key for key in self.keys[1:] if key.kid != kid)
        if len(rest) == len(self.keys) - 1:
            raise ValueError(f"{kid} is not a retired key of this ring")
        return type(self)((self.signing, *rest))


def _document(ring: KeyRing) -> bytes:
    return wire.dumps({"keys": [key.private_jwk() for key in ring.keys]})


def _members(public: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _encode(public.public_bytes_raw())}


def _thumbprint(public: Ed25519PublicKey) -> str:
    """RFC 7638: SHA-256 over the required members in this order, without white space."""
    return _encode(hashlib.sha256(wire.dumps(_members(public))).digest())


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
