"""Agents' tokens: issued, revoked, deleted. Shown once; we keep the `jti`, never the token."""

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from agentxsuite.control.agents.keys import key_ring
from agentxsuite.control.agents.models import (
    Agent,
    InboundAuthMethod,
    IssuedToken,
    ServiceAccount,
)
from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.problems import Conflict, Forbidden, Invalid
from agentxsuite.control.tenancy.models import User
from agentxsuite.control.tenancy.saving import held
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.tokens import AgentClaims, issue
from agentxsuite.wire import JSON

DEFAULT_SCOPES: Final = ("tool.invoke",)
DEFAULT_TTL, MAX_TTL = 60 * 60, 24 * 60 * 60  # seconds
MAX_SCOPES: Final = 20  # keeps a token well under the size that we accept back
VERBS: Final = {
    "token_issued": "token.issue",
    "token_revoked": "token.revoke",
    "token_deleted": "token.delete",
}
SCOPE: Final = re.compile(r"[a-z0-9_.:*-]{1,64}")  # a word of a policy's actions


def audience(agent: Agent) -> str:
    """Return the one address an agent's tokens are good for: its environment's MCP address."""
    return f"{settings.PUBLIC_URL}/mcp/{agent.organization_id}/{agent.environment_id}/"


def issue_token(
    actor: Actor,
    agent: Agent,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    ttl_seconds: int = DEFAULT_TTL,
    name: str = "",
    user: User | None = None,
) -> tuple[IssuedToken, str]:
    """Sign a token for an agent; return its row and the token itself, which nobody sees again.

    With a `user` it is that person who acts, as the agent, for as long as they may.
    Raises Invalid for a lifetime beyond 24 hours or a malformed scope, Forbidden for a scope
    beyond the service account's, Conflict for an agent that cannot log in with a token, NotFound
    for one that is gone.
    """
    with changing(agent.organization_id):
        agent = _held(agent)
        _require_bearer(agent)
        if not 1 <= ttl_seconds <= MAX_TTL:
            raise Invalid.at("/ttl_seconds", f"must be from 1 to {MAX_TTL}")
        granted = _granted(agent, scopes)
        claims = replace(_claims(agent, granted, ttl_seconds), user=str(user.id) if user else None)
        ring = key_ring()
        token = IssuedToken.objects.create(
            organization_id=agent.organization_id,
            environment_id=agent.environment_id,
            agent=agent,
            name=name,
            jti=claims.jti,
            scopes=granted,
            expires_at=datetime.fromtimestamp(claims.expires_at, UTC),
            metadata={"kid": ring.signing.kid, "issued_by": actor.subject, **_person(user)},
        )
        facts: dict[str, JSON] = {"scopes": granted, "expires_at": token.expires_at.isoformat()}
        _record("token_issued", actor, token, facts)
        return token, issue(claims, ring)


def revoke_token(actor: Actor, token: IssuedToken) -> IssuedToken:
    """Make a token invalid from the next call on; one that is revoked already stays as it was."""
    with changing(token.organization_id):
        standing = IssuedToken.objects.filter(id=token.id, revoked_at=None)
        if standing.update(revoked_at=timezone.now(), revoked_by=actor.user):
            _record("token_revoked", actor, token, {})
        token.refresh_from_db()
        return token


def within_account(agent: Agent, scopes: Sequence[str]) -> list[str]:
    """Return those of some scopes that the agent's account may have."""
    beyond = _beyond(agent, scopes)
    return [scope for scope in scopes if scope not in beyond]


def delete_token(actor: Actor, token: IssuedToken) -> None:
    """Forget a token that is revoked or expired; without its row its `jti` stays invalid.

    Raises Conflict for one that still stands, NotFound when somebody else was first.
    """
    with changing(token.organization_id):
        current = held(IssuedToken.objects.all(), token.id)
        if current.revoked_at is None and current.expires_at > timezone.now():
            raise Conflict("This token is still good: revoke it first.", code="token_still_valid")
        current.delete()
        _record("token_deleted", actor, current, {"expires_at": current.expires_at.isoformat()})


def retire_tokens(actor: Actor, agent: Agent, *, every: bool = False) -> None:
    """Revoke the tokens that the agent, as it is now, would not be given; or `every` one.

    In the caller's transaction, which holds what has changed.
    """
    for token in agent.tokens.filter(revoked_at=None, expires_at__gt=timezone.now()):
        if every or not _fits(agent, token):
            revoke_token(actor, token)


def _held(agent: Agent) -> Agent:
    """The agent as it is, and its account: neither is narrowed before the token is there."""
    current = held(Agent.objects.live(), agent.id)
    if current.service_account_id is not None:
        current.service_account = held(ServiceAccount.objects.all(), current.service_account_id)
    return current


def _fits(agent: Agent, token: IssuedToken) -> bool:
    by_token = agent.inbound_auth_method == InboundAuthMethod.BEARER
    return by_token and not _beyond(agent, token.scopes)


def _require_bearer(agent: Agent) -> None:
    if agent.inbound_auth_method != InboundAuthMethod.BEARER:
        raise Conflict(
            f"This agent logs in by {agent.inbound_auth_method}, not with a token.",
            code="agent_takes_no_tokens",
        )


def _granted(agent: Agent, scopes: Sequence[str]) -> list[str]:
    """Return the scopes, each once; never wider than what the service account may have."""
    wanted = sorted(set(scopes))
    if not 1 <= len(wanted) <= MAX_SCOPES:
        raise Invalid.at("/scopes", f"must be from 1 to {MAX_SCOPES} words")
    for number, scope in enumerate(scopes):
        if not SCOPE.fullmatch(scope):
            raise Invalid.at(f"/scopes/{number}", "is not the name of an action")
    if beyond := _beyond(agent, wanted):
        raise Forbidden(
            f"The agent's service account may not have the scope {beyond[0]}.",
            code="scope_not_allowed",
        )
    return wanted


def _beyond(agent: Agent, scopes: Sequence[str]) -> list[str]:
    """Those of some scopes that the agent's account may not have; an empty list allows all."""
    allowed = agent.service_account.scope_allowlist if agent.service_account else []
    if not allowed or "*" in allowed:
        return []
    groups = {each for each in allowed if each.endswith(".*")}
    return [
        scope
        for scope in scopes
        if scope not in allowed and f"{scope.partition('.')[0]}.*" not in groups
    ]


def _person(user: User | None) -> dict[str, str]:
    return {"user": str(user.id)} if user else {}


def _claims(agent: Agent, scopes: Sequence[str], ttl_seconds: int) -> AgentClaims:
    now = int(time.time())
    return AgentClaims(
        issuer=settings.PUBLIC_URL,
        subject=f"agent:{agent.id}",
        audience=audience(agent),
        expires_at=now + ttl_seconds,
        not_before=now,
        issued_at=now,
        jti=secrets.token_urlsafe(24),
        organization=str(agent.organization_id),
        environment=str(agent.environment_id),
        agent=str(agent.id),
        scopes=frozenset(scopes),
    )


def _record(event: EventType, actor: Actor, token: IssuedToken, facts: dict[str, JSON]) -> None:
    record(
        event,
        actor=actor,
        organization=token.organization_id,
        environment=token.environment_id,
        action=VERBS[event],
        target=f"agent:{token.agent_id}",
        data={"jti": token.jti, "name": token.name, **facts},
    )
