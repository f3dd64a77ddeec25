"""The outside issuers that the operator trusts: a TOML file, one table for each.

[github]
issuer = "https://token.actions.githubusercontent.com"
algorithms = ["RS256"]
# jwks_uri = "https://..."   where there is no OpenID discovery document
# leeway_seconds = 5         by which the issuer's clock may differ from ours
# organizations = ["<id>"]   which may use it; all of them where it is left out

Their addresses are reached through the one outbound door, so private ones need EGRESS_ALLOW.
"""

import tomllib
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

# Each has a private half that stays with the issuer. With a shared secret (HS256, ...) whoever
# verifies could sign as well, and "none" is no signature at all (RFC 8725 section 3.2).
ALGORITHMS: Final = frozenset(
    {f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)} | {"EdDSA"}
)
MAX_LEEWAY: Final = 300  # seconds
DAY: Final = 24 * 60 * 60  # seconds
MAX_LENGTH: Final = 500  # characters of an issuer's name, as a service account keeps it
DISCOVERY: Final = "/.well-known/openid-configuration"


class IssuersInvalid(ValueError):
    """A file of issuers that the operator must correct; the text names the table and the rule."""


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One issuer; `issuer` is its name, exactly as its tokens and service accounts have it.

    Raises ValueError for one that could not be trusted.
    """

    name: str
    issuer: str
    algorithms: frozenset[str]
    jwks_uri: str = ""
    leeway_seconds: int = 5
    max_lifetime_seconds: int = DAY
    organizations: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Hold the rules above."""
        rules = {
            "issuer is no http(s) address": is_address(self.issuer),
            "jwks_uri is no http(s) address": not self.jwks_uri or is_address(self.jwks_uri),
            f"algorithms are not some of {', '.join(sorted(ALGORITHMS))}": self.algorithms
            and self.algorithms <= ALGORITHMS,
            f"leeway_seconds is not from 0 to {MAX_LEEWAY}": 0 <= self.leeway_seconds <= MAX_LEEWAY,
            "max_lifetime_seconds is not positive": self.max_lifetime_seconds > 0,
        }
        if broken := [rule for rule, holds in rules.items() if not holds]:
            raise ValueError(f"issuer {self.name!r}: {broken[0]}")

    @property
    def discovery(self) -> str:
        """Where its description is (OpenID Connect Discovery 1.0, section 4)."""
        return self.issuer.rstrip("/") + DISCOVERY

    def serves(self, organization: str) -> bool:
        """Whether the organization may use it."""
        return not self.organizations or organization in self.organizations


Issuers = dict[str, Issuer]


def load_issuers(path: Path, ours: str) -> Issuers:
    """Read the operator's file: issuers by the name in their tokens, none of them `ours`.

    Raises IssuersInvalid, OSError.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        named = {name: {**table, "name": name} for name, table in tables.items()}
        read = msgspec.convert(named, dict[str, Issuer])
    except (ValueError, TypeError) as error:
        raise IssuersInvalid(f"{path.name}: {error}") from None
    issuers = {each.issuer: each for each in read.values()}
    if len(issuers) < len(read):
        raise IssuersInvalid(f"{path.name}: two tables have the same issuer")
    if any(known.rstrip("/").lower() == ours.lower() for known in issuers):
        raise IssuersInvalid(f"{path.name}: this server is not an outside issuer")
    return issuers


def is_address(text: str) -> bool:
    """Whether it is a plain http or https URL without query, fragment or credentials."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or "@" in parts.netloc or set(text) & set(" \t\n"))
    known = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return known and plain and len(text) <= MAX_LENGTH
