"""An honest token, and a forge that signs whatever it is given."""

import json
from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agentxsuite.engines.tokens import AgentClaims, KeyRing, TokenInvalid, Verifier

NOW = 1_800_000_000
ISSUER = "https://suite.example"
AUDIENCE = "https://suite.example/mcp/acme/dev/"


def segment(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class Forge:
    """Puts together tokens that no honest issuer would sign, correctly signed where it can."""

    def __init__(self, ring, claims):
        self.ring = ring
        self.honest_header = {"alg": "EdDSA", "typ": "JWT", "kid": ring.signing.kid}
        self.honest_payload = claims.payload()

    def sign(self, header, payload, key: Ed25519PrivateKey | None = None):
        signed = f"{segment(header)}.{segment(payload)}"
        signature = (key or self.ring.signing.private).sign(signed.encode())
        return f"{signed}.{segment(signature)}"

    def header(self, **changes):
        return self.sign({**self.honest_header, **changes}, self.honest_payload)

    def payload(self, **changes):
        return self.sign(self.honest_header, {**self.honest_payload, **changes})

    def without(self, name):
        rest = {key: value for key, value in self.honest_payload.items() if key != name}
        return self.sign(self.honest_header, rest)


@pytest.fixture(scope="session")
def ring():
    return KeyRing.generate()


@pytest.fixture
def claims():
    return AgentClaims(
        issuer=ISSUER,
        subject="agent:7",
        audience=AUDIENCE,
        expires_at=NOW + 3600,
        not_before=NOW,
        issued_at=NOW,
        jti="3f0c",
        organization="acme",
        environment="dev",
        agent="7",
        scopes=frozenset({"tool.invoke", "tool.list"}),
    )


@pytest.fixture
def forge(ring, claims):
    return Forge(ring, claims)


@pytest.fixture
def verifier(ring):
    return Verifier(ring, ISSUER, capacity=3)


@pytest.fixture
def refusal(verifier):
    """The code a token is refused with."""

    def _refusal(token, audience=AUDIENCE, now=NOW):
        with pytest.raises(TokenInvalid) as caught:
            verifier.verify(token, audience, now)
        return caught.value.code

    return _refusal
