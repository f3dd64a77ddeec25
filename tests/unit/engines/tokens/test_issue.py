"""What is issued is what verifies."""

from dataclasses import replace

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentxsuite.engines.tokens import AgentClaims, KeyRing, Verifier, issue
from tests.unit.engines.tokens.conftest import AUDIENCE, ISSUER, NOW

RING = KeyRing.generate()
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
words = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)


@given(texts, texts, texts, texts, texts, st.frozensets(words, max_size=5))
def test_whatever_is_issued_comes_back(subject, jti, organization, environment, agent, scopes):
    """An agent's token means something else to the verifier than to the issuer."""
    claims = AgentClaims(
        ISSUER, subject, AUDIENCE, NOW + 60, NOW, NOW, jti, organization, environment, agent, scopes
    )
    assert Verifier(RING, ISSUER).verify(issue(claims, RING), AUDIENCE, NOW) == claims


def test_any_jwt_library_can_verify_by_our_jwks(claims, ring):
    """A customer's own service cannot check our tokens."""
    token = issue(claims, ring)
    key = jwt.PyJWKSet.from_dict(ring.jwks())[jwt.get_unverified_header(token)["kid"]]
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    decoded = jwt.decode(token, key, algorithms=["EdDSA"], audience=AUDIENCE, options=options)
    assert decoded == claims.payload()


def test_a_token_may_last_a_whole_day(claims, ring, verifier):
    """The longest lifetime that is promised is refused."""
    longest = replace(claims, expires_at=NOW + 24 * 60 * 60)
    assert verifier.verify(issue(longest, ring), AUDIENCE, NOW) == longest


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": NOW + 24 * 60 * 60 + 1},
        {"jti": ""},
        {"agent": None},
        {"issued_at": 1.5},
        {"scopes": frozenset({"tool.invoke tool.admin"})},
        {"scopes": frozenset({""})},
    ],
)
def test_what_would_not_verify_is_not_issued(claims, ring, changes):
    """An operator hands out a token that opens nothing, or more than meant."""
    with pytest.raises(ValueError, match="claims cannot be issued"):
        issue(replace(claims, **changes), ring)
