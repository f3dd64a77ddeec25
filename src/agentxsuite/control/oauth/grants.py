"""What people grant to clients: to act as one agent, in their name, until somebody ends it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from agentxsuite.control.agents.models import Agent, InboundAuthMethod
from agentxsuite.control.agents.tokens import within_account
from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.oauth.models import Client, Grant
from agentxsuite.control.oauth.places import Place
from agentxsuite.control.problems import Forbidden, NotFound
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Environment, Role, User
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.wire import JSON

if TYPE_CHECKING:
    from django.db.models import QuerySet

VERBS: Final = {
    "grant_given": "grant.give",
    "grant_refused": "grant.refuse",
    "grant_ended": "grant.end",
}


class Choice(NamedTuple):
    """What a person is asked: which agent a client may be, in an environment of theirs."""

    environment: Environment
    agents: list[Agent]


def choice_for(user: User, place: Place) -> Choice:
    """Return whom a person may choose from; within the scope of the place's organization.

    Raises NotFound to strangers, Forbidden to members who may not run tools.
    """
    organization = access.organization(user, place.organization, Role.OPERATOR)
    there = access.live(Environment).filter(organization=organization, id=place.environment)
    environment = there.select_related("organization").first()
    if environment is None:
        raise NotFound
    return Choice(environment, list(agents_in(environment).order_by("name")))


def agents_in(environment: Environment) -> "QuerySet[Agent]":
    """Return the agents that a client may be: enabled ones that come with a token."""
    return access.live(Agent).filter(
        environment=environment, enabled=True, inbound_auth_method=InboundAuthMethod.BEARER
    )


def give(actor: Actor, client: Client, agent: Agent, scopes: Sequence[str]) -> Grant:
    """Write down that the actor lets a client act as an agent; within the agent's scope.

    Raises Forbidden when the agent may have none of the scopes.
    """
    allowed = within_account(agent, scopes)
    if actor.user is None or not allowed:
        raise Forbidden("This agent may have none of what is asked for.", code="scope_not_allowed")
    grant = Grant.objects.create(
        organization_id=agent.organization_id,
        environment_id=agent.environment_id,
        agent=agent,
        user=actor.user,
        client=client,
        scopes=allowed,
    )
    note("grant_given", actor, grant, {"scopes": allowed})
    return grant


def refuse(actor: Actor, client: Client, place: Place) -> None:
    """Write down that a person let a client have nothing."""
    with changing(place.organization):
        record(
            "grant_refused",
            actor=actor,
            organization=place.organization,
            environment=place.environment,
            action=VERBS["grant_refused"],
            target=f"environment:{place.environment}",
            decision="deny",
            data=facts_of(client),
        )


def end(actor: Actor, grant: Grant, why: str = "revoked") -> None:
    """End a grant and all of its tokens; one that has ended stays as it was."""
    with changing(grant.organization_id):
        if grant.end():
            note("grant_ended", actor, grant, {"why": why})


def still_stands(grant: Grant) -> bool:
    """Whether the person may still run as the agent, and the agent is still there."""
    member = access.memberships(grant.user).filter(organization=grant.organization_id).first()
    if member is None or not grant.user.is_active:
        return False
    if Role(member.role) not in access.SUFFICES[Role.OPERATOR]:
        return False
    return agents_in(grant.environment).filter(id=grant.agent_id).exists()


def note(event: EventType, actor: Actor, grant: Grant, data: dict[str, JSON]) -> None:
    """Write an event about a grant."""
    record(
        event,
        actor=actor,
        organization=grant.organization_id,
        environment=grant.environment_id,
        action=VERBS[event],
        target=f"agent:{grant.agent_id}",
        data={"grant": str(grant.id), "user": str(grant.user_id), **facts_of(grant.client), **data},
    )


def facts_of(client: Client) -> dict[str, JSON]:
    """Return how an event names a client."""
    return {"client_id": client.client_id, "client_name": client.name}


def held(organization: UUID, grant_id: UUID) -> Grant | None:
    """Return a grant that nobody else ends until the transaction is over, if it still stands."""
    rows = Grant.objects.standing().select_for_update(of=("self",), no_key=True)
    rows = rows.select_related("user", "client", "agent", "environment")
    return rows.filter(organization=organization, id=grant_id).first()
