"""Logins of programs: a client with a secret that acts as one agent (RFC 6749, section 4.4)."""

import secrets
from collections.abc import Sequence
from typing import Final
from uuid import uuid4

from agentxsuite.control.agents.models import Agent, InboundAuthMethod, IssuedToken
from agentxsuite.control.agents.tokens import revoke_token, within_account
from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.oauth.models import AccessToken, Client, Machine, digest
from agentxsuite.control.oauth.places import marked
from agentxsuite.control.problems import Conflict, Forbidden
from agentxsuite.control.tenancy.saving import held
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.wire import JSON

MOST: Final = 20  # logins of one agent
VERBS: Final = {"machine_created": "client.create", "machine_deleted": "client.delete"}


def create_machine(
    actor: Actor, agent: Agent, name: str, scopes: Sequence[str]
) -> tuple[Machine, str]:
    """Make a login for a program; return it and its secret, which nobody sees again.

    Raises Conflict for an agent that comes without a token or has many logins, Forbidden for a
    scope beyond its account's, NotFound for one that is gone.
    """
    with changing(agent.organization_id):
        agent = held(Agent.objects.live(), agent.id)
        _check(agent, scopes)
        secret = secrets.token_urlsafe(32)
        client = Client.objects.create(
            client_id=marked(agent.organization_id, uuid4().hex),
            client_type=Client.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS,
            client_secret=digest(secret),
            scopes=sorted(set(scopes)),
        )
        machine = Machine.objects.create(
            organization_id=agent.organization_id,
            environment_id=agent.environment_id,
            agent=agent,
            client=client,
            name=name,
        )
        _record("machine_created", actor, machine, {"scopes": client.scopes})
        return machine, secret


def delete_machine(actor: Actor, machine: Machine) -> None:
    """Let a program's login, and every token that it has got, be good no more."""
    with changing(machine.organization_id):
        current = held(Machine.objects.select_related("client"), machine.id)
        tokens = AccessToken.objects.filter(application=current.client)
        standing = IssuedToken.objects.filter(jti__in=list(tokens.values_list("jti", flat=True)))
        for token in standing.filter(revoked_at=None):
            revoke_token(actor, token)
        _record("machine_deleted", actor, current, {})
        current.client.delete()


def _check(agent: Agent, scopes: Sequence[str]) -> None:
    if agent.inbound_auth_method != InboundAuthMethod.BEARER:
        told = f"This agent logs in by {agent.inbound_auth_method}, not with a token."
        raise Conflict(told, code="agent_takes_no_tokens")
    if len(within_account(agent, scopes)) < len(scopes):
        told = "The agent's service account may not have all of these scopes."
        raise Forbidden(told, code="scope_not_allowed")
    if Machine.objects.filter(agent=agent).count() >= MOST:
        raise Conflict(f"An agent has at most {MOST} clients.", code="too_many_clients")


def _record(event: EventType, actor: Actor, machine: Machine, facts: dict[str, JSON]) -> None:
    record(
        event,
        actor=actor,
        organization=machine.organization_id,
        environment=machine.environment_id,
        action=VERBS[event],
        target=f"agent:{machine.agent_id}",
        data={"client_id": machine.client.client_id, "name": machine.name, **facts},
    )
