"""Many rows for each list of the API: copies of what Acme has, stored at once."""

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, TypeVar

from django.db.models import Model

from agentxsuite.control.agents.models import Agent, IssuedToken, ServiceAccount
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Connection, Tool
from agentxsuite.control.oauth.models import Grant, Machine
from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule, PolicyVersion
from agentxsuite.control.runs.models import Run, RunStep
from agentxsuite.control.secretstore.models import Secret, SecretVersion
from agentxsuite.control.tenancy.models import (
    Invitation,
    Organization,
    OrganizationMembership,
    User,
)
from tests.sweeps.estate import Estate
from tests.witness import forging

MORE = 49

Row = TypeVar("Row", bound=Model)
Maker = Callable[[Estate], Any]


def texts(word: str) -> list[str]:
    """Names that nobody has yet."""
    return [f"{word}-{number}" for number in range(MORE)]


def copies(row: Row, **facts: list[Any]) -> list[Row]:
    """Store copies of a row; `facts` has what differs, a value for each."""
    made = [copy(row) for _ in range(MORE)]
    for number, each in enumerate(made):
        each.pk = type(row)._meta.pk.get_default()
        for name, values in facts.items():
            setattr(each, name, values[number])
    return type(row)._default_manager.bulk_create(made)


def own(kind: type[Row], estate: Estate) -> Row:
    """One of Acme's rows of a kind."""
    return kind._default_manager.filter(organization=estate.org).order_by("-id")[0]


def named(estate: Estate, kind: type[Row], name: str) -> Row:
    """The row that the estate has under a name."""
    return kind._default_manager.get(pk=estate.refs[name])


def people(estate: Estate) -> list[User]:
    return copies(estate.company.owner, email=[f"{text}@x.example" for text in texts("guest")])


def members(estate: Estate) -> None:
    copies(own(OrganizationMembership, estate), user=people(estate))


def organizations(estate: Estate) -> None:
    """Each is stored by itself, as PostgreSQL shows what it has been told of."""
    standing = OrganizationMembership.objects.get(user=estate.company.owner)
    made = [Organization.objects.create(name=text) for text in texts("company")]
    copies(standing, organization=made)


def invitations(estate: Estate) -> None:
    emails = [f"{text}@x.example" for text in texts("guest")]
    copies(own(Invitation, estate), email=emails, digest=texts("digest"))


def environments(estate: Estate) -> None:
    copies(estate.company.dev, name=texts("place"))


def connections(estate: Estate) -> None:
    row = named(estate, Connection, "connection")
    copies(row, name=texts("server"), slug=texts("server"))


def secrets(estate: Estate) -> None:
    row = Secret.objects.get(ref=estate.refs["secret"])
    made = copies(row, ref=texts("ref"))
    copies(row.versions.get(), secret=made)


def secret_versions(estate: Estate) -> None:
    row = SecretVersion.objects.get(secret__ref=estate.refs["secret"])
    copies(row, number=list(range(2, MORE + 2)))


def tools(estate: Estate) -> None:
    """Each waits for approval of a definition of its own."""
    row = named(estate, Tool, "waiting")
    told = {name: copy(getattr(row, name)) for name in ("definition", "pending")}
    row.definition = row.pending = None
    made = copies(row, name=texts("tool"), upstream_name=texts("tool"))
    for name, each in told.items():
        for tool, definition in zip(made, copies(each, tool=made), strict=True):
            setattr(tool, name, definition)
    Tool.objects.bulk_update(made, told)


def accounts(estate: Estate) -> list[ServiceAccount]:
    row = named(estate, ServiceAccount, "spare")
    return copies(row, name=texts("account"), subject=texts("account"))


def agents(estate: Estate) -> None:
    row = named(estate, Agent, "agent")
    copies(row, name=texts("clerk"), slug=texts("clerk"), service_account=accounts(estate))


def tokens(estate: Estate) -> None:
    copies(IssuedToken.objects.get(jti=estate.refs["jti"]), jti=texts("jti"))


def machines(estate: Estate) -> None:
    row = named(estate, Machine, "machine")
    copies(row, client=copies(row.client, client_id=texts("machine")))


def grants(estate: Estate) -> None:
    row = named(estate, Grant, "grant")
    copies(row, client=copies(row.client, client_id=texts("program")))


def policies(estate: Estate) -> None:
    """Each has a rule, a binding and a version."""
    row = named(estate, Policy, "policy")
    made = copies(row, name=texts("policy"))
    for kind in (PolicyRule, PolicyBinding, PolicyVersion):
        copies(kind.objects.filter(policy=row).order_by("id")[0], policy=made)


def policy_versions(estate: Estate) -> None:
    row = PolicyVersion.objects.filter(policy=estate.refs["policy"]).order_by("-number")[0]
    copies(row, number=list(range(row.number + 1, row.number + 1 + MORE)))


@forging()
def evidence(estate: Estate, kind: type[Model]) -> None:
    copies(own(kind, estate))


@forging()
def log(estate: Estate) -> None:
    """What happened in no organization, for a person who may read of it."""
    User.objects.filter(pk=estate.company.owner.pk).update(is_operator=True)
    row = own(AuditEvent, estate)
    row.organization = row.environment = None
    copies(row)


ORG = "/api/v1/orgs/$org"
CROWDS: dict[str, Maker] = {
    "/api/v1/orgs/": organizations,
    "/api/v1/auth/me/orgs/": organizations,
    "/api/v1/auth/me/grants/": grants,
    "/api/v1/policies/rules/": policies,
    "/api/v1/policies/bindings/": policies,
    "/api/v1/audit/": partial(evidence, kind=AuditEvent),
    "/api/v1/system/audit/": log,
    f"{ORG}/members/": members,
    f"{ORG}/invitations/": invitations,
    f"{ORG}/environments/": environments,
    f"{ORG}/connections/": connections,
    f"{ORG}/secrets/": secrets,
    f"{ORG}/secrets/$secret/versions/": secret_versions,
    f"{ORG}/tools/": tools,
    f"{ORG}/tools/$tool/access/": agents,
    f"{ORG}/agents/": agents,
    f"{ORG}/agents/$agent/access/": tools,
    f"{ORG}/agents/$agent/tokens/": tokens,
    f"{ORG}/agents/$agent/clients/": machines,
    f"{ORG}/service-accounts/": accounts,
    f"{ORG}/grants/": grants,
    f"{ORG}/policies/": policies,
    f"{ORG}/policies/$policy/versions/": policy_versions,
    f"{ORG}/runs/": partial(evidence, kind=Run),
    f"{ORG}/runs/$run/steps/": partial(evidence, kind=RunStep),
    f"{ORG}/audit/": partial(evidence, kind=AuditEvent),
}
