"""Honest tokens pass, each forged one is refused with its own code."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agentxsuite.engines.tokens import KeyRing, TokenInvalid, Verifier, issue
from tests.unit.engines.tokens.conftest import AUDIENCE, ISSUER, NOW, segment

DAY = 24 * 60 * 60


def test_an_honest_token_gives_its_claims(verifier, claims, ring):
    """An agent with a good token is turned away."""
    assert verifier.verify(issue(claims, ring), AUDIENCE, NOW) == claims


def test_the_audience_may_follow_from_the_claims(verifier, claims, ring):
    """A door that learns the environment from the token cannot hold it to its address."""
    token = issue(claims, ring)
    wanted = lambda known: f"https://suite.example/mcp/{known.organization}/{known.environment}/"  # noqa: E731 - one expression
    assert verifier.verify(token, wanted, NOW) == claims
    with pytest.raises(TokenInvalid, match="token_wrong_audience"):
        verifier.verify(token, lambda known: f"https://other.example/{known.environment}", NOW)


CLAIMS = "iss sub aud exp nbf iat jti org env agent scope"


@pytest.mark.parametrize("name", CLAIMS.split())
def test_every_claim_is_required(forge, refusal, name):
    """A token that never expires, or cannot be revoked, is accepted."""
    assert refusal(forge.without(name)) == "token_missing_claim"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://other.example/"}, "token_wrong_audience"),
        ({"aud": [AUDIENCE]}, "token_bad_claim"),
        ({"iss": "https://evil.example"}, "token_wrong_issuer"),
        ({"iss": ISSUER + "/"}, "token_wrong_issuer"),
        ({"exp": NOW}, "token_expired"),
        ({"exp": NOW - 1}, "token_expired"),
        ({"exp": NOW + DAY + 1}, "token_lifetime_too_long"),
        ({"exp": 10**30}, "token_lifetime_too_long"),
        ({"nbf": NOW - DAY}, "token_lifetime_too_long"),
        ({"exp": float(NOW + 60)}, "token_bad_claim"),
        ({"exp": float("nan")}, "token_malformed"),
        ({"exp": float("inf")}, "token_malformed"),
        ({"exp": True}, "token_bad_claim"),
        ({"exp": str(NOW + 60)}, "token_bad_claim"),
        ({"exp": None}, "token_bad_claim"),
        ({"nbf": NOW + 60}, "token_not_yet_valid"),
        ({"iat": NOW + 60}, "token_not_yet_valid"),
        ({"iat": [NOW]}, "token_bad_claim"),
        ({"jti": ""}, "token_bad_claim"),
        ({"jti": 7}, "token_bad_claim"),
        ({"sub": {"$ne": None}}, "token_bad_claim"),
        ({"org": None}, "token_bad_claim"),
        ({"env": ["dev", "prod"]}, "token_bad_claim"),
        ({"agent": 7}, "token_bad_claim"),
        ({"scope": ["tool.invoke"]}, "token_bad_claim"),
        ({"more": "x" * 5000}, "token_too_large"),
    ],
)
def test_a_signed_token_with_wrong_claims_is_refused(forge, refusal, changes, code):
    """A token that leaked from another place or time still opens this door."""
    assert refusal(forge.payload(**changes)) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"alg": "none"}, "token_wrong_algorithm"),
        ({"alg": "None"}, "token_wrong_algorithm"),
        ({"alg": "RS256"}, "token_wrong_algorithm"),
        ({"alg": "HS256"}, "token_wrong_algorithm"),
        ({"alg": "ES256"}, "token_wrong_algorithm"),
        ({"alg": ""}, "token_wrong_algorithm"),
        ({"alg": None}, "token_wrong_algorithm"),
        ({"alg": ["EdDSA"]}, "token_wrong_algorithm"),
        ({"kid": "unknown"}, "token_unknown_key"),
        ({"kid": ""}, "token_unknown_key"),
        ({"kid": "../../../../dev/null"}, "token_unknown_key"),
        ({"kid": "/etc/passwd"}, "token_unknown_key"),
        ({"kid": "x' UNION SELECT 'secret"}, "token_unknown_key"),
        ({"kid": "https://evil.example/key"}, "token_unknown_key"),
        ({"kid": 0}, "token_malformed"),
        ({"kid": None}, "token_malformed"),
        ({"kid": []}, "token_malformed"),
        ({"jku": "https://evil.example/jwks.json"}, "token_malformed"),
        ({"x5u": "https://evil.example/cert"}, "token_malformed"),
        ({"x5c": ["MIIB"]}, "token_malformed"),
        ({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}}, "token_malformed"),
        ({"crit": ["exp"], "exp": 1}, "token_malformed"),
        ({"b64": False, "crit": ["b64"]}, "token_malformed"),
    ],
)
def test_a_header_cannot_choose_how_it_is_checked(forge, refusal, changes, code):
    """An attacker brings the key, or switches the signature off."""
    assert refusal(forge.header(**changes)) == code


def test_a_header_without_a_key_name_is_refused(forge, refusal):
    """A token that names no key is tried against some key of ours."""
    assert refusal(forge.sign({"alg": "EdDSA"}, forge.honest_payload)) == "token_unknown_key"


def test_a_key_of_the_attackers_own_is_refused(forge, refusal):
    """Anyone who knows our key's name signs tokens."""
    stranger = Ed25519PrivateKey.generate()
    own = forge.sign(forge.honest_header, forge.honest_payload, stranger)
    assert refusal(own) == "token_bad_signature"


def test_an_unsigned_token_is_refused(forge, refusal):
    """The oldest JWT attack works: no algorithm, no signature."""
    body = f"{segment({**forge.honest_header, 'alg': 'none'})}.{segment(forge.honest_payload)}"
    assert {refusal(f"{body}."), refusal(body)} == {"token_malformed"}
    assert refusal(f"{body}.{'A' * 86}") == "token_wrong_algorithm"


def test_the_public_key_is_not_a_shared_secret(forge, refusal, ring):
    """Whoever reads our JWKS signs HS256 tokens with it."""
    public = ring.signing.public
    forms = [
        public.public_bytes_raw(),
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        ring.jwks()["keys"][0]["x"].encode(),
    ]
    for algorithm in ("HS256", "EdDSA"):
        body = (
            f"{segment({**forge.honest_header, 'alg': algorithm})}.{segment(forge.honest_payload)}"
        )
        for secret in forms:
            mac = hmac.new(secret, body.encode(), hashlib.sha512).digest()
            assert refusal(f"{body}.{segment(mac)}") in {
                "token_wrong_algorithm",
                "token_bad_signature",
            }


def test_an_rsa_signature_is_refused(forge, refusal):
    """Another algorithm's signature is taken for ours."""
    key = rsa.generate_private_key(65537, 2048)
    assert key.key_size == 2048
    body = f"{segment({**forge.honest_header, 'alg': 'RS256'})}.{segment(forge.honest_payload)}"
    assert refusal(f"{body}.{segment(b'x' * 256)}") == "token_malformed"
    assert refusal(f"{body}.{segment(b'x' * 64)}") == "token_wrong_algorithm"


@pytest.mark.parametrize(
    "payload", [b"[]", b"null", b'"text"', b"7", b"", b"{", b"\xff\xfe", b"[" * 2000, b'{"a":NaN}']
)
def test_claims_that_are_no_object_are_refused(forge, refusal, payload):
    """A strange body crashes the door instead of being refused."""
    assert refusal(forge.sign(forge.honest_header, payload)) == "token_malformed"


@pytest.mark.parametrize("header", [b"[]", b"null", b"{", b"\xff", b"7", b"[" * 2000])
def test_a_header_that_is_no_object_is_refused(forge, refusal, header):
    """A strange header crashes the door instead of being refused."""
    assert refusal(forge.sign(header, forge.honest_payload)) == "token_malformed"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda _: ".",
        lambda _: "..",
        lambda token: token + ".more",
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token.replace(".", ". ", 1),
        lambda token: token.replace(".", "", 1),
        lambda token: token[:-1],
        lambda token: "%" + token[1:],
        lambda token: "é" + token[1:],
        lambda token: "\ud800" + token[1:],
        lambda token: "a" + token,
    ],
)
def test_what_is_no_compact_token_is_refused(verifier, claims, ring, refusal, spoil):
    """Garbage in the header crashes the door, or passes by a lenient decoder."""
    assert refusal(spoil(issue(claims, ring))) == "token_malformed"


def test_a_changed_claim_breaks_the_signature(claims, ring, forge, refusal):
    """An agent edits its token into another agent's."""
    header, _, signature = issue(claims, ring).split(".")
    other = segment({**forge.honest_payload, "agent": "8"})
    assert refusal(f"{header}.{other}.{signature}") == "token_bad_signature"


def test_a_huge_token_costs_nothing(refusal):
    """Megabytes in a header keep the door busy."""
    assert refusal("A" * 1_000_000) == "token_too_large"


def test_a_small_clock_difference_is_forgiven(verifier, claims, ring):
    """A token is refused for its first second, because two machines' clocks differ."""
    assert verifier.verify(issue(claims, ring), AUDIENCE, NOW - 5) == claims


def test_a_remembered_token_is_still_held_to_time_and_place(verifier, claims, ring, refusal):
    """A token outlives its expiry, or opens another environment, because it was seen before."""
    token = issue(claims, ring)
    verifier.verify(token, AUDIENCE, NOW)
    assert refusal(token, audience="https://suite.example/mcp/acme/prod/") == "token_wrong_audience"
    verifier.verify(token, AUDIENCE, NOW)
    assert refusal(token, now=claims.expires_at) == "token_expired"
    assert not verifier._known


def test_a_remembered_token_is_not_checked_again(claims, ring):
    """Every call of an agent pays for a signature check."""
    verifier, token = Verifier(ring, ISSUER), issue(claims, ring)
    first = verifier.verify(token, AUDIENCE, NOW)
    assert verifier.verify(token, AUDIENCE, NOW) is first


def test_memory_is_bounded(verifier, forge):
    """Many agents fill the server's memory."""
    for number in range(10):
        verifier.verify(forge.payload(jti=str(number)), AUDIENCE, NOW)
    assert [claims.jti for claims in verifier._known.values()] == ["7", "8", "9"]


def test_refused_tokens_are_not_remembered(verifier, forge, refusal):
    """A flood of bad tokens drives the good ones out of memory."""
    refusal(forge.payload(exp=NOW - 1))
    refusal(forge.header(kid="unknown"))
    assert not verifier._known


def test_a_forgotten_token_is_checked_again(verifier, forge):
    """A revoked token's check stays in memory, others' is lost with it."""
    kept, revoked = forge.payload(jti="kept"), forge.payload(jti="revoked")
    for token in (kept, revoked):
        verifier.verify(token, AUDIENCE, NOW)
    verifier.forget("revoked")
    assert [claims.jti for claims in verifier._known.values()] == ["kept"]


def test_a_dropped_key_stops_verifying_at_once(verifier, claims, ring, refusal):
    """A stolen key keeps opening the door after it was dropped."""
    token, rotated = issue(claims, ring), ring.rotate()
    verifier.trust(rotated)
    assert verifier.verify(token, AUDIENCE, NOW) == claims
    verifier.trust(rotated.drop(ring.signing.kid))
    assert refusal(token) == "token_unknown_key"


def test_two_installations_do_not_know_each_other(claims, refusal):
    """A token of one installation opens another."""
    assert refusal(issue(claims, KeyRing.generate())) == "token_unknown_key"
