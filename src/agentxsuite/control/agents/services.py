"""Making agents and the service accounts they log in with."""

from typing import TypedDict, Unpack
from uuid import uuid4

from django.conf import settings
from django.utils.text import slugify

from agentxsuite.control.agents.models import Agent, ServiceAccount
from agentxsuite.control.agents.tokens import issue_token, revoke_token
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.tenancy.models import Environment, Organization
from agentxsuite.control.tenancy.problems import Invalid
from agentxsuite.control.tenancy.saving import plain, save
from agentxsuite.control.tenancy.scope import changing

__all__ = ["create_agent", "create_service_account", "issue_token", "revoke_token"]


class AccountFacts(TypedDict, total=False):
    """What else a service account may be told; `issuer` and `subject` come together."""

    environment: Environment | None
    issuer: str
    subject: str
    audience: str
    credential_ref: str | None
    scope_allowlist: list[str]


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


def create_service_account(
    actor: Actor, organization: Organization, name: str, **facts: Unpack[AccountFacts]
) -> ServiceAccount:
    """Make a login for an agent: at an outside issuer, or at ours where none is named.

    Raises Invalid, Conflict for a name or (issuer, subject) that is taken.
    """
    with changing(organization.id):
        account = ServiceAccount(organization=organization, name=name.strip(), **facts)
        if account.issuer.rstrip("/") == settings.PUBLIC_URL:
            raise Invalid.at(
                "/issuer", "is this server itself; leave it out and it is chosen for you"
            )
        if bool(account.issuer) != bool(account.subject):
            raise Invalid.at("/subject", "issuer and subject are given together or not at all")
        if not account.issuer:
            account.issuer, account.subject = settings.PUBLIC_URL, f"service-account:{uuid4()}"
        save(account)
        record(
            "service_account_created",
            actor=actor,
            organization=organization,
            environment=account.environment,
            action="service_account.create",
            target=f"service_account:{account.id}",
            data={
                "name": account.name,
                "issuer": account.issuer,
                "subject": account.subject,
                "scope_allowlist": account.scope_allowlist,
            },
        )
        return account


def create_agent(
    actor: Actor, environment: Environment, name: str, **facts: Unpack[AgentFacts]
) -> Agent:
    """Make an agent; its slug comes from its name unless told.

    Raises Invalid for one without the credential or connection that its kind needs, or with
    another tenant's; Conflict for a name or slug that is taken.
    """
    with changing(environment.organization_id):
        known = {**facts, "slug": facts.get("slug") or slugify(name)[:100]}
        for choice in ("mode", "inbound_auth_method"):
            if choice in known:
                known[choice] = str(known[choice]).lower()
        agent = save(
            Agent(
                organization=environment.organization,
                environment=environment,
                name=name.strip(),
                **known,
            )
        )
        record(
            "agent_created",
            actor=actor,
            organization=agent.organization,
            environment=environment,
            action="agent.create",
            target=f"agent:{agent.id}",
            data={"name": agent.name, **{field: plain(value) for field, value in known.items()}},
        )
        return agent
