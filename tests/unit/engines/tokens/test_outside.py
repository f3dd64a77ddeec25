"""Outside tokens, as the door that reads them does not know yet what they say."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from agentxsuite.engines.tokens import Issuer, OutsideVerifier, TokenInvalid
from agentxsuite.engines.tokens.outside import read_outside
from tests.unit.engines.tokens.conftest import segment

ISSUER = Issuer("test", "https://id.example", frozenset({"ES256"}), "https://id.example/keys")
KEY = ec.generate_private_key(ec.SECP256R1())
ES256 = jwt.get_algorithm_by_name("ES256")
NOW = int(time.time())
CLAIMS = {"iss": ISSUER.issuer, "sub": "robot", "aud": "us", "iat": NOW, "exp": NOW + 60}


def signed(payload, **header):
    head = {"alg": "ES256", "kid": "a", "typ": "JWT"} | header
    body = f"{segment({name: value for name, value in head.items() if value})}.{segment(payload)}"
    return f"{body}.{segment(ES256.sign(body.encode(), KEY))}"


@pytest.fixture
async def verifier():
    async def fetch(_url):
        public = {**json.loads(ES256.to_jwk(KEY.public_key())), "kid": "a"}
        return json.dumps({"keys": [public]}).encode()

    return OutsideVerifier({ISSUER.issuer: ISSUER}, fetch, capacity=2)


def test_whose_token_it_is_comes_from_the_table(verifier):
    """Otherwise: a token chooses who vouches for it."""
    assert verifier.issuer(signed(CLAIMS)) is ISSUER
    others = [CLAIMS | {"iss": name} for name in ("https://evil.example", None, [], {}, 7)]
    shapes = [[], None, 7, b"\xff", b"{", b'{"iss":NaN}']
    for payload in (*others, *shapes):
        assert verifier.issuer(signed(payload)) is None
    for token in ("", "..", "a.b", "a.b.c.d", "a.=.c", "a" * 9000, "é.b.c", signed(CLAIMS) + "\n"):
        assert verifier.issuer(token) is None
    assert OutsideVerifier({}, None).issuer(signed(CLAIMS)) is None


@pytest.mark.parametrize("payload", [[], 7, b"{", b'{"iss":NaN}'])
async def test_claims_that_are_no_object_are_refused(verifier, payload):
    """Otherwise: a strange body crashes the door."""
    with pytest.raises(TokenInvalid, match="token_malformed"):
        await verifier.verify(signed(payload), ISSUER, NOW)


@pytest.mark.parametrize("spoil", ["{", "[]", "7", "\xff"])
async def test_a_header_that_is_no_object_is_refused(verifier, spoil):
    """Otherwise: a strange header crashes the door."""
    _, payload, signature = signed(CLAIMS).split(".")
    token = f"{segment(spoil.encode('latin-1'))}.{payload}.{signature}"
    with pytest.raises(TokenInvalid, match="token_malformed"):
        await verifier.verify(token, ISSUER, NOW)


async def test_a_token_without_a_key_name_is_refused(verifier):
    """Otherwise: a token is tried against some key."""
    with pytest.raises(TokenInvalid, match="token_unknown_key"):
        await verifier.verify(signed(CLAIMS, kid=None), ISSUER, NOW)


def test_the_issuer_is_held_to_what_was_signed():
    """Otherwise: one issuer's key signs in the name of another."""
    with pytest.raises(TokenInvalid, match="token_wrong_issuer"):
        read_outside(CLAIMS | {"iss": "https://other.example"}, ISSUER)


async def test_memory_is_bounded_and_good_tokens_are_checked_once(verifier):
    """Otherwise: every call pays for a signature, or many agents fill the memory."""
    tokens = [signed(CLAIMS | {"jti": str(number)}) for number in range(4)]
    for token in tokens:
        first = await verifier.verify(token, ISSUER, NOW)
        assert await verifier.verify(token, ISSUER, NOW) is first
    assert len(verifier._known) == 2
    with pytest.raises(TokenInvalid, match="token_expired"):
        await verifier.verify(tokens[-1], ISSUER, NOW + 66)
    with pytest.raises(TokenInvalid, match="token_not_yet_valid"):
        await verifier.verify(tokens[-1], ISSUER, NOW - 6)
