"""What a value must be by which an agent outside logs in, and the fingerprint that finds it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.conf import settings

from agentxsuite.engines.tokens import (
    CERTIFICATE,
    SECRET,
    CertificateInvalid,
    Fingerprints,
    pinned_digest,
)

KINDS: Final[Mapping[str, str]] = {"inbound_secret_ref": SECRET, "mtls_cert_ref": CERTIFICATE}
LEAST, MOST = 32, 512  # characters: 32 hex digits are 128 bits, where they are random
LEAST_DISTINCT: Final = 10  # of 32 random hex digits fewer are different once in 2,000 times
TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # as a header carries it (RFC 6750 section 2.1)
DOTS_OF_A_JWT: Final = 2


class Unfit(Exception):
    """A value that must not open a door; the text says why and shows nothing of it."""


def fingerprint(organization: UUID, kind: str, value: str) -> str:
    """Return what finds the value as a credential of that kind; raises Unfit."""
    if kind == CERTIFICATE:
        try:
            return fingerprints().of(str(organization), kind, pinned_digest(value))
        except CertificateInvalid:
            raise Unfit("This is neither a certificate in PEM nor its SHA-256.") from None
    if reason := weakness(value):
        raise Unfit(reason)
    return fingerprints().of(str(organization), kind, value)


def weakness(value: str) -> str:
    """Say why a static secret would be too weak, or could not be sent; empty when it is fine."""
    if not LEAST <= len(value) <= MOST:
        return f"A static secret has {LEAST} to {MOST} characters."
    if not TOKEN.fullmatch(value):
        return "A static secret consists of letters, digits and ._~+/- with = at its end."
    if value.count(".") == DOTS_OF_A_JWT:
        return "A static secret with two dots would be taken for a signed token."
    if len(set(value)) < LEAST_DISTINCT or value in (value + value)[1:-1]:
        return "This is too easy to guess: let a machine make it."
    return ""


@lru_cache(1)
def fingerprints() -> Fingerprints:
    """Return what makes fingerprints; its key comes from SECRET_KEY, the same on every worker."""
    return Fingerprints(settings.SECRET_KEY.encode())
