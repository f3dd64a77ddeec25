"""Issuing and revoking agents' tokens. A token is shown once; we keep its `jti`, never itself."""

import re
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from agentxsuite.control.agents.keys import key_ring
from agentxsuite.control.agents.models import Agent, InboundAuthMethod, IssuedToken
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.tenancy.problems import Conflict, Forbidden, Invalid
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.tokens import AgentClaims, issue
from agentxsuite.wire import JSON

DEFAULT_SCOPES: Final = ("tool.invoke",)
DEFAULT_TTL, MAX_TTL = 60 * 60, 24 * 60 * 60  # seconds
MAX_SCOPES: Final = 20  # keeps a token well under the size that we accept back
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
) -> tuple[IssuedToken, str]:
    """Sign a token for an agent; return its row and the token itself, which nobody sees again.

    Raises Invalid for a lifetime beyond 24 hours or a malformed scope, Forbidden for a scope
    beyond the service account's, Conflict for an agent that cannot log in with a token.
    """
    with changing(agent.organization_id):
        _require_bearer(agent)
        if not 1 <= ttl_seconds <= MAX_TTL:
            raise Invalid.at("/ttl_seconds", f"must be from 1 to {MAX_TTL}")
        granted = _granted(agent, scopes)
        claims = _claims(agent, granted, ttl_seconds)
        ring = key_ring()
        token = IssuedToken.objects.create(
            organization_id=agent.organization_id,
            environment_id=agent.environment_id,
            agent=agent,
            name=name,
            jti=claims.jti,
            scopes=granted,
            expires_at=datetime.fromtimestamp(claims.expires_at, UTC),
            metadata={"kid": ring.signing.kid, "issued_by": actor.subject},
        )
        record(
            "token_issued",
            actor=actor,
            organization=agent.organization_id,
            environment=agent.environment_id,
            action="token.issue",
            target=f"agent:{agent.id}",
            data=_facts(token) | {"scopes": granted, "expires_at": token.expires_at.isoformat()},
        )
        return token, issue(claims, ring)


def revoke_token(actor: Actor, token: IssuedToken) -> IssuedToken:
    """Make a token invalid from the next call on; one that is revoked already stays as it was."""
    with changing(token.organization_id):
        standing = IssuedToken.objects.filter(id=token.id, revoked_at=None)
        if standing.update(revoked_at=timezone.now(), revoked_by=actor.user):
            record(
                "token_revoked",
                actor=actor,
                organization=token.organization_id,
                environment=token.environment_id,
                action="token.revoke",
                target=f"agent:{token.agent_id}",
                data=_facts(token),
            )
        token.refresh_from_db()
        return token


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
    allowed = agent.service_account.scope_allowlist if agent.service_account else []
    beyond = [scope for scope in wanted if allowed and scope not in allowed]
    if beyond:
        raise Forbidden(
            f"The agent's service account may not have the scope {beyond[0]}.",
            code="scope_not_allowed",
        )
    return wanted


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


def _facts(token: IssuedToken) -> dict[str, JSON]:
    return {"jti": token.jti, "name": token.name}
