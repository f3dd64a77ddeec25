"""Client certificates as proxies and operators write them, and what pins one: its SHA-256."""

import re
from base64 import b64decode
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

MAX_SIZE: Final = 32 * 1024  # characters
REMEMBERED: Final = 1024

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")
_DIGITS = re.compile(r"(?:sha-?256[:=])?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})", re.IGNORECASE)


class CertificateInvalid(ValueError):
    """A text that is no certificate."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """``digest`` is the SHA-256 of its DER form in hex; it is valid between two Unix times."""

    digest: str
    not_before: float
    not_after: float

    def holds(self, now: float) -> bool:
        """Whether it is valid at ``now``."""
        return self.not_before <= now <= self.not_after


@lru_cache(REMEMBERED)
def read_certificate(text: str) -> Certificate:
    """Read one certificate: PEM, percent-encoded PEM (nginx), base64 of DER, or between colons.

    The last is RFC 9440's. Raises CertificateInvalid.
    """
    if len(text) > MAX_SIZE:
        raise CertificateInvalid("The certificate is too long.")
    plain = (unquote(text) if "%" in text else text).strip()
    found = _PEM.fullmatch(plain)
    inner = found[1] if found else plain.removeprefix(":").removesuffix(":")
    try:
        read = x509.load_der_x509_certificate(b64decode("".join(inner.split()), validate=True))
        return Certificate(
            read.fingerprint(SHA256()).hex(),
            read.not_valid_before_utc.timestamp(),
            read.not_valid_after_utc.timestamp(),
        )
    except ValueError:
        raise CertificateInvalid("This is not one X.509 certificate.") from None


def pinned_digest(text: str) -> str:
    """The digest that a stored text pins: the certificate itself, or its SHA-256 in hex digits.

    Raises CertificateInvalid.
    """
    digits = _DIGITS.fullmatch(text.strip())
    return digits[1].replace(":", "").lower() if digits else read_certificate(text).digest
