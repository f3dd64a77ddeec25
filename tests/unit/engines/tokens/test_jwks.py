"""Published keys: only those that may verify signatures do."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from agentxsuite.engines.tokens.jwks import read_keys

MAKERS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def public(algorithm, key=None):
    made = (key or MAKERS[algorithm]()).public_key()
    return {**json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(made)), "kid": "a"}


def read(*keys):
    return read_keys(json.dumps({"keys": keys}).encode())


@pytest.mark.parametrize("algorithm", MAKERS)
def test_a_good_key_verifies_what_it_is_for(algorithm):
    """Otherwise: an issuer's tokens are refused."""
    assert algorithm in read(public(algorithm))["a"].algorithms
    told = read({**public(algorithm), "alg": algorithm, "use": "sig", "key_ops": ["verify"]})
    assert told["a"].algorithms == {algorithm}


@pytest.fixture(scope="module")
def good():
    return public("RS256")


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"alg": 7},
        {"kty": 7},
        {"crv": 7},
        {"kty": "EC"},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"kid": ""},
        {"kid": 7},
        {"kid": "x" * 501},
        {"n": "AQAB"},
        {"n": 7},
        {"n": "é"},
        {"d": "AQAB"},
    ],
)
def test_a_doubtful_key_is_left_out(good, changes):
    """Otherwise: a symmetric, broken or private key verifies tokens."""
    assert read({**good, **changes}) == {}


def test_a_weak_or_monstrous_key_is_left_out():
    """Otherwise: a key that can be factored signs tokens, or one check takes a second."""
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is weak is the point
    assert read(public("RS256", weak)) == {}


def test_what_is_no_key_is_left_out(good):
    """Otherwise: one broken entry locks all agents out."""
    assert set(read(7, None, [], {}, good)) == {"a"}


def test_the_same_key_read_twice_is_the_same(good):
    """Otherwise: every renewal of the keys costs all agents another check."""
    first, second = read(good)["a"], read(dict(reversed(good.items())))["a"]
    assert first == second
    assert first != read({**good, "alg": "RS256"})["a"]
    assert first != good
    assert len({first, read(good)["a"]}) == 1
