"""Making, changing and deleting service accounts: the logins of agents, here or elsewhere."""

from typing import TypedDict, Unpack
from uuid import uuid4

from django.conf import settings
from django.utils import timezone

from agentxsuite.control.agents.models import Agent, ServiceAccount
from agentxsuite.control.agents.requirements import require_account, require_new_account
from agentxsuite.control.agents.tokens import retire_tokens
from agentxsuite.control.audit.services import Actor, record_change
from agentxsuite.control.tenancy.models import Environment, Organization
from agentxsuite.control.tenancy.saving import alter, held, save
from agentxsuite.control.tenancy.scope import changing


class AccountChanges(TypedDict, total=False):
    """What can be changed of a service account; its issuer and subject name it for ever."""

    name: str
    audience: str
    credential_ref: str | None
    scope_allowlist: list[str]
    enabled: bool


class AccountFacts(TypedDict, total=False):
    """What else a service account may be told; `issuer` and `subject` come together."""

    environment: Environment | None
    issuer: str
    subject: str
    audience: str
    credential_ref: str | None
    scope_allowlist: list[str]
    enabled: bool


def create_service_account(
    actor: Actor, organization: Organization, name: str, **facts: Unpack[AccountFacts]
) -> ServiceAccount:
    """Make a login for an agent: at an outside issuer, or at ours where none is named.

    Raises Invalid, Conflict for a name or (issuer, subject) that is taken.
    """
    with changing(organization.id):
        account = ServiceAccount(organization=organization, name=name.strip(), **facts)
        require_new_account(account)
        if not account.issuer:
            account.issuer, account.subject = settings.PUBLIC_URL, f"service-account:{uuid4()}"
        save(account)
        data = {
            "name": account.name,
            "issuer": account.issuer,
            "subject": account.subject,
            "scope_allowlist": account.scope_allowlist,
        }
        record_change("service_account_created", actor, account, account.id, data)
        return account


def change_service_account(
    actor: Actor, account: ServiceAccount, **changes: Unpack[AccountChanges]
) -> ServiceAccount:
    """Alter a login; tokens beyond a narrower `scope_allowlist` are revoked.

    A disabled one closes its agent from the next call on. Raises Invalid, Conflict, NotFound.
    """
    with changing(account.organization_id):
        current = held(ServiceAccount.objects.live(), account.id)
        differences = alter(current, changes)
        if differences:
            require_account(current)
            save(current)
            for agent in _agents(current):
                retire_tokens(actor, agent)
            record_change(
                "service_account_changed", actor, current, current.id, {"changes": differences}
            )
    return current


def delete_service_account(actor: Actor, account: ServiceAccount) -> None:
    """Delete a login softly: its agent is closed, and its tokens are revoked.

    Raises NotFound when somebody else was first.
    """
    with changing(account.organization_id):
        current = held(ServiceAccount.objects.live(), account.id)
        current.deleted_at = timezone.now()
        current.save(update_fields=["deleted_at"])
        for agent in _agents(current):
            retire_tokens(actor, agent, every=True)
        record_change("service_account_deleted", actor, current, current.id, {"name": current.name})


def _agents(account: ServiceAccount) -> list[Agent]:
    return list(Agent.objects.live().filter(service_account=account))
