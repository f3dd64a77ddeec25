"""What an agent's token says, and every way it can be wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentxsuite.wire import JSON

MAX_LIFETIME: Final = 24 * 60 * 60  # seconds
CLOCK_SKEW: Final = 5  # seconds by which the issuing machine's clock may run ahead of ours

_TEXTS: Final = ("iss", "sub", "aud", "jti", "org", "env", "agent")
_TIMES: Final = ("exp", "nbf", "iat")


class TokenInvalid(Exception):
    """A token that proves nothing. ``code`` is stable, ``detail`` names the claim or is empty.

    Codes: token_too_large token_malformed token_wrong_algorithm token_unknown_key
    token_bad_signature token_missing_claim token_bad_claim token_lifetime_too_long
    token_wrong_issuer token_wrong_audience token_expired token_not_yet_valid.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class AgentClaims:
    """The claims of one token (RFC 7519, RFC 9068 for ``scope``); times are whole Unix seconds.

    ``user`` is the person who acts as the agent, where one logged in for it.
    """

    issuer: str
    subject: str
    audience: str
    expires_at: int
    not_before: int
    issued_at: int
    jti: str
    organization: str
    environment: str
    agent: str
    scopes: frozenset[str]
    user: str | None = None

    def payload(self) -> dict[str, str | int]:
        """The claims by their names on the wire."""
        person = {} if self.user is None else {"user": self.user}
        return {
            **person,
            "iss": self.issuer,
            "sub": self.subject,
            "aud": self.audience,
            "exp": self.expires_at,
            "nbf": self.not_before,
            "iat": self.issued_at,
            "jti": self.jti,
            "org": self.organization,
            "env": self.environment,
            "agent": self.agent,
            "scope": " ".join(sorted(self.scopes)),
        }

    def hold(self, audience: str, now: float) -> None:
        """Raise TokenInvalid unless the token is meant for ``audience`` and valid at ``now``."""
        if self.audience != audience:
            raise TokenInvalid("token_wrong_audience", "aud")
        if now >= self.expires_at:
            raise TokenInvalid("token_expired", "exp")
        if now + CLOCK_SKEW < self.not_before:
            raise TokenInvalid("token_not_yet_valid", "nbf")
        if now + CLOCK_SKEW < self.issued_at:
            raise TokenInvalid("token_not_yet_valid", "iat")


def read_claims(payload: JSON) -> AgentClaims:
    """Claims of a signed payload: all present, all of their type, lifetime <= 24 h.

    Raises TokenInvalid. Claims beyond ours are ignored (RFC 7519, section 4).
    """
    if not isinstance(payload, dict):
        raise TokenInvalid("token_malformed", "claims")
    texts = {name: _text(payload, name) for name in _TEXTS}
    times = {name: _time(payload, name) for name in _TIMES}
    if times["exp"] - min(times["nbf"], times["iat"]) > MAX_LIFETIME:
        raise TokenInvalid("token_lifetime_too_long", "exp")
    return AgentClaims(
        issuer=texts["iss"],
        subject=texts["sub"],
        audience=texts["aud"],
        expires_at=times["exp"],
        not_before=times["nbf"],
        issued_at=times["iat"],
        jti=texts["jti"],
        organization=texts["org"],
        environment=texts["env"],
        agent=texts["agent"],
        scopes=_scopes(payload),
        user=_text(payload, "user") if "user" in payload else None,
    )


def _present(payload: Mapping[str, JSON], name: str) -> JSON:
    try:
        return payload[name]
    except KeyError:
        raise TokenInvalid("token_missing_claim", name) from None


def _text(payload: Mapping[str, JSON], name: str) -> str:
    value = _present(payload, name)
    if not isinstance(value, str) or not value:
        raise TokenInvalid("token_bad_claim", name)
    return value


def _time(payload: Mapping[str, JSON], name: str) -> int:
    value = _present(payload, name)
    if type(value) is not int:  # a bool is an int to isinstance
        raise TokenInvalid("token_bad_claim", name)
    return value


def _scopes(payload: Mapping[str, JSON]) -> frozenset[str]:
    value = _present(payload, "scope")
    if not isinstance(value, str):  # the empty text is a token that may do nothing
        raise TokenInvalid("token_bad_claim", "scope")
    return frozenset(value.split())
