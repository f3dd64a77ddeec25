"""Making, changing and deleting agents."""

from itertools import count
from typing import TypedDict, Unpack

from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from agentxsuite.control.agents.accounts import (
    change_service_account,
    create_service_account,
    delete_service_account,
)
from agentxsuite.control.agents.models import Agent, ServiceAccount
from agentxsuite.control.agents.requirements import require_agent
from agentxsuite.control.agents.tokens import (
    delete_token,
    issue_token,
    retire_tokens,
    revoke_token,
)
from agentxsuite.control.audit.services import Actor, record_change
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.problems import Conflict
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.control.tenancy.saving import alter, held, plain, save
from agentxsuite.control.tenancy.scope import changing

__all__ = [
    "change_agent",
    "change_service_account",
    "create_agent",
    "create_service_account",
    "delete_agent",
    "delete_service_account",
    "delete_token",
    "issue_token",
    "revoke_token",
]

MAX_SLUG = 100
NAMELESS = "agent"  # the slug of a name without a Latin letter or digit


class AgentFacts(TypedDict, total=False):
    """What else an agent may be told; enum values in either case."""

    slug: str
    mode: str
    inbound_auth_method: str
    connection: Connection | None
    service_account: ServiceAccount | None
    bearer_secret_ref: str | None
    inbound_secret_ref: str | None
    mtls_cert_ref: str | None
    mtls_key_ref: str | None
    capabilities: list[str]
    tags: list[str]
    enabled: bool


class AgentChanges(TypedDict, total=False):
    """What can be changed of an agent; its slug and its environment cannot."""

    name: str
    mode: str
    inbound_auth_method: str
    connection: Connection | None
    service_account: ServiceAccount | None
    bearer_secret_ref: str | None
    inbound_secret_ref: str | None
    mtls_cert_ref: str | None
    mtls_key_ref: str | None
    capabilities: list[str]
    tags: list[str]
    enabled: bool


def create_agent(
    actor: Actor, environment: Environment, name: str, **facts: Unpack[AgentFacts]
) -> Agent:
    """Make an agent; its slug is made of its name unless told.

    Raises Invalid for one without the credential or connection that its kind needs, or with
    another tenant's; Conflict for a name or slug that is taken.
    """
    with changing(environment.organization_id):
        held(Environment.objects.live(), environment.id)  # so that a free slug stays free
        known = {**facts, "slug": _slug(environment, name, facts.get("slug", ""))}
        for choice in ("mode", "inbound_auth_method"):
            if choice in known:
                known[choice] = str(known[choice]).lower()
        agent = Agent(
            organization_id=environment.organization_id,
            environment=environment,
            name=name.strip(),
            **known,
        )
        require_agent(agent)
        save(agent)
        data = {"name": agent.name, **{field: plain(value) for field, value in known.items()}}
        record_change("agent_created", actor, agent, agent.id, data)
        return agent


def change_agent(actor: Actor, agent: Agent, **changes: Unpack[AgentChanges]) -> Agent:
    """Alter an agent; tokens that it would not be given any more are revoked.

    Raises Invalid, Conflict, NotFound.
    """
    with changing(agent.organization_id):
        current = held(Agent.objects.live(), agent.id)
        differences = alter(current, changes)
        if differences:
            require_agent(current)
            save(current)
            retire_tokens(actor, current)
            record_change("agent_changed", actor, current, current.id, {"changes": differences})
    return current


def delete_agent(actor: Actor, agent: Agent) -> None:
    """Delete an agent softly; its tokens are dead from the next call on.

    Raises NotFound when somebody else was first.
    """
    with changing(agent.organization_id):
        current = held(Agent.objects.live(), agent.id)
        current.deleted_at = timezone.now()
        current.save(update_fields=["deleted_at"])
        retire_tokens(actor, current, every=True)
        record_change(
            "agent_deleted",
            actor,
            current,
            current.id,
            {"name": current.name, "slug": current.slug},
        )


def _slug(environment: Environment, name: str, wanted: str) -> str:
    """The wanted slug, or the first free one that the name suggests; raises Conflict."""
    base = wanted or slugify(name)[: MAX_SLUG - 10] or NAMELESS
    had = Agent.objects.in_environment(environment).filter(
        Q(slug__istartswith=f"{base}-") | Q(slug__iexact=base)
    )
    taken = {slug.lower() for slug in had.values_list("slug", flat=True)}
    if wanted and wanted.lower() in taken:
        raise Conflict("Another agent of the environment has, or had, this slug.")
    candidates = (base if number == 1 else f"{base}-{number}" for number in count(1))
    return wanted or next(slug for slug in candidates if slug not in taken)
