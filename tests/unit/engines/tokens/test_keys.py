"""Rings of keys: rotation, publication, and no secret in sight."""

import hashlib
import json
from base64 import urlsafe_b64encode

import pytest

from agentxsuite.engines.tokens import KeyRing, SigningKey


def test_a_rotated_ring_signs_with_the_new_key_and_knows_the_old(ring):
    """Rotation logs every agent out, or changes nothing."""
    rotated = ring.rotate()
    assert rotated.signing.kid != ring.signing.kid
    assert rotated.public(ring.signing.kid) is ring.signing.public
    assert len(ring.keys) == 1


def test_a_retired_key_can_be_dropped_but_not_the_signing_one(ring):
    """A stolen key cannot be removed, or a ring is left that cannot sign."""
    rotated = ring.rotate().rotate()
    dropped = rotated.drop(ring.signing.kid)
    assert dropped.public(ring.signing.kid) is None
    assert [key.kid for key in dropped.keys] == [key.kid for key in rotated.keys[:2]]
    for kid in (rotated.signing.kid, "unknown"):
        with pytest.raises(ValueError, match="not a retired key"):
            rotated.drop(kid)


def test_the_published_set_shows_every_public_key_and_no_secret(ring):
    """Whoever reads the JWKS can sign, or a verifier misses a key."""
    rotated = ring.rotate()
    published = rotated.jwks()["keys"]
    assert [key["kid"] for key in published] == [key.kid for key in rotated.keys]
    for key in published:
        assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
        assert (key["kty"], key["crv"], key["alg"]) == ("OKP", "Ed25519", "EdDSA")


def test_a_kid_is_the_thumbprint_of_its_key(ring):
    """Two installations give one name to two keys (RFC 7638)."""
    jwk = ring.signing.public_jwk()
    members = {"crv": "Ed25519", "kty": "OKP", "x": jwk["x"]}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    assert jwk["kid"] == urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_the_thumbprint_of_the_rfc_is_ours():
    """Another implementation computes another name for the same key (RFC 8037, A.1 and A.3)."""
    seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
    key = SigningKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "d": seed})
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_ring_shows_no_secret_when_printed(ring):
    """A log line gives the signing key away."""
    shown = repr(ring.signing) + str(ring)
    assert ring.signing.private_jwk()["d"] not in shown
    assert "private" not in shown


def test_an_empty_lookup_finds_nothing():
    """A token without a key name is checked by some key."""
    assert KeyRing.generate().public("") is None


def test_keys_for_other_purposes_are_others_and_the_same_everywhere():
    """Otherwise: workers do not understand each other, or a secret for one thing opens another."""
    ring = KeyRing.generate().rotate()
    one, other = ring.derived(b"one"), ring.derived(b"other")
    assert one == KeyRing(ring.keys).derived(b"one")
    assert len({*one, *other}) == 4
    assert {len(key) for key in one} == {32}
