"""The people of every story, and the two organizations that must never meet.

Alice owns Acme. Bob operates it, Vera only looks, Ada audits. Charlie is the stranger: he owns
Globex and has no business in Acme. A `Company` is made by the services, as a user would make it.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings
from knox.models import AuthToken
from rest_framework.test import APIClient

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.agents.services import (
    create_agent,
    create_service_account,
    issue_token,
)
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy
from agentxsuite.control.policies.services import create_policy
from agentxsuite.control.secretstore.keys import MasterKeys
from agentxsuite.control.tenancy.models import (
    Environment,
    Organization,
    OrganizationMembership,
    User,
)
from agentxsuite.control.tenancy.services import (
    add_member,
    create_environment,
    create_organization,
    create_user,
)
from agentxsuite.engines.tokens import KeyRing
from tests.openapi.checked import CheckedClient

ADDRESS, CLIENT = "192.0.2.7", "pytest"
MADE_BY_HAND = Actor("client:tests", address=ADDRESS, client=CLIENT)


@dataclass
class Company:
    """One organization with its people and its two environments; `owner` acts for it."""

    organization: Organization
    owner: User
    prod: Environment
    dev: Environment
    people: dict[str, User] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """The owner, acting."""
        return Actor.person(self.owner, ADDRESS, CLIENT)

    def hire(self, name: str, role: str) -> User:
        """Give somebody a role; their address is `<name>@<organization>.example`."""
        user = person(name, self.organization.name)
        add_member(self.actor, self.organization, user, role)
        self.people[name] = user
        return user

    def agent(self, name: str = "Clerk", environment: Environment | None = None) -> Agent:
        """Make an agent that calls in with our tokens; in `prod` unless told."""
        place = environment or self.prod
        login = f"{name} in {place.name}"
        account = create_service_account(self.actor, self.organization, login)
        return create_agent(self.actor, place, name, service_account=account)

    def token(self, agent: Agent) -> str:
        """Issue a token for an hour."""
        return issue_token(self.actor, agent)[1]

    def allow(self, target: str = "tool:*", name: str = "Allowed") -> Policy:
        """Let every agent of the organization call the tools that `target` matches."""
        rule = RuleDraft("tool.invoke", target, "allow")
        binding = BindingDraft("org", str(self.organization.id))
        draft = PolicyDraft(name, (rule,), (binding,), acknowledge_broad=True)
        return create_policy(self.actor, self.organization, draft)


def build_company(name: str, owner: str) -> Company:
    """Found an organization: its owner, and the environments prod and dev."""
    user = person(owner, name)
    actor = Actor.person(user, ADDRESS, CLIENT)
    organization = create_organization(actor, name)
    prod = create_environment(actor, organization, "prod", "prod")
    dev = create_environment(actor, organization, "dev", "dev")
    return Company(organization, user, prod, dev, {owner: user})


def build_acme() -> Company:
    """Acme, with one person in every role."""
    company = build_company("Acme", "alice")
    for name, role in (("bob", "operator"), ("vera", "viewer"), ("ada", "auditor")):
        company.hire(name, role)
    return company


def build_globex() -> Company:
    """The other tenant, where Charlie is at home."""
    return build_company("Globex", "charlie")


def person(name: str, company: str) -> User:
    """Make somebody who logs in by token only: hashing passwords would slow every test."""
    return create_user(MADE_BY_HAND, f"{name}@{company.lower()}.example", None)


def client(user: User | None = None) -> APIClient:
    """Return a client of the REST API with a login token of this person, or without any.

    It takes no answer that the API's description does not have.
    """
    browser = CheckedClient()
    if user is not None:
        browser.credentials(HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(user)[1]}")
    return browser


@pytest.fixture
def company(db):
    return build_acme()


@pytest.fixture
def rival(db):
    return build_globex()


@pytest.fixture
def acme(db):
    """Only the row: for tests of one part, which count what that part alone writes."""
    return Organization.objects.create(name="Acme")


@pytest.fixture
def prod(acme):
    return Environment.objects.create(organization=acme, name="prod", type="prod")


@pytest.fixture
def dev(acme):
    return Environment.objects.create(organization=acme, name="dev")


@pytest.fixture
def globex(db):
    return Organization.objects.create(name="Globex")


@pytest.fixture
def globex_prod(globex):
    return Environment.objects.create(organization=globex, name="prod", type="prod")


@pytest.fixture
def alice(acme):
    """The administrator of Acme's row."""
    user = User.objects.create_user("alice@acme.example")
    OrganizationMembership.objects.create(organization=acme, user=user, role="admin")
    return user


@pytest.fixture
def actor(alice):
    return Actor.person(alice, ADDRESS, CLIENT)


@pytest.fixture
def master_keys():
    """The operator's key-encryption keys; on PostgreSQL nobody makes them by themselves."""
    path = Path(settings.SECRET_KEYS)
    return MasterKeys.load(path) if path.exists() else MasterKeys.create(path)


@pytest.fixture
def token_keys():
    """The operator's signing keys; on PostgreSQL nobody makes them by themselves."""
    path = Path(settings.TOKEN_KEYS)
    return KeyRing.load(path) if path.exists() else KeyRing.create(path)
