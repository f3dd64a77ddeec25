"""Two companies that must never meet, each with at least one of everything there can be.

Every name in a company holds the company's own, so that an answer that shows anything of the other
one is known by that word, or by an id.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone
from knox.models import AuthToken

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.agents.services import (
    change_agent,
    create_service_account,
    issue_token,
    revoke_token,
)
from agentxsuite.control.audit.services import record
from agentxsuite.control.catalog import sync
from agentxsuite.control.catalog.lent import Loan, keep
from agentxsuite.control.catalog.models import Account, Connection, Tool
from agentxsuite.control.catalog.services import create_connection
from agentxsuite.control.catalog.tools import delete_tool
from agentxsuite.control.oauth.grants import give
from agentxsuite.control.oauth.machines import create_machine
from agentxsuite.control.oauth.models import Client
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.services import change_policy, create_policy
from agentxsuite.control.runs.models import Run, RunStep
from agentxsuite.control.secretstore.services import store
from agentxsuite.control.tenancy.invitations import invite
from agentxsuite.control.tenancy.models import User
from agentxsuite.engines.upstream import Lent
from tests.cast import Company, build_company
from tests.story.conftest import synced
from tests.witness import forging

PASSWORD = "correct horse battery staple"
ROLES = ("owner", "admin", "operator", "viewer", "auditor")
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}}
LISTED = [{"name": "send", "inputSchema": SCHEMA}, {"name": "hold", "inputSchema": SCHEMA}]


@dataclass
class Estate:
    """A company, the value of each `$name` in the rows, and a login for everybody in it."""

    company: Company
    word: str
    refs: dict[str, str] = field(default_factory=dict)
    logins: dict[str, str] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)

    def add(self, **rows) -> None:
        """Give rows, or texts, their names."""
        self.refs |= {name: str(getattr(row, "pk", row)) for name, row in rows.items()}

    @property
    def org(self) -> str:
        return self.refs["org"]

    def agent_token(self, agent="agent") -> str:
        """A token that opens doors for an agent."""
        return self.refs[f"{agent}_token"]


def build_estate(word: str, owner: str) -> Estate:
    """Found a company with people of every role, and everything but connections and tools."""
    company = build_company(word.title(), owner)
    estate = Estate(company, word)
    estate.people["owner"] = company.owner
    for role in ROLES[1:]:
        estate.people[role] = company.hire(f"{word}-{role}", role)
    estate.add(org=company.organization, prod=company.prod, dev=company.dev, word=word)
    estate.add(member=company.hire(f"{word}-walt", "viewer"), owner=company.owner)
    company.owner.set_password(PASSWORD)  # by a fast hasher
    company.owner.save()
    estate.logins = {
        role: AuthToken.objects.create(user)[1] for role, user in estate.people.items()
    }
    add_people(estate)
    return estate


def add_people(estate: Estate) -> None:
    company, actor = estate.company, estate.company.actor
    row, code = invite(actor, company.organization, f"guest@{estate.word}.example", "viewer")
    secret = store(actor, company.organization, company.prod, "tell nobody", f"{estate.word} key")
    told = f"{estate.word}-lets-in-whoever-knows-these-words"  # as long as a static secret must be
    shared = store(actor, company.organization, None, told, f"{estate.word} shared")
    estate.add(invitation=row, code=code, secret=secret.ref, shared=shared.ref)
    audit = record(
        "organization_changed",
        actor=actor,
        organization=company.organization,
        action="organization.change",
        target=f"organization:{company.organization.id}",
    )
    estate.add(event=audit)


def connect(estate: Estate, endpoint: str) -> Connection:
    """Give a company a connection in prod, named after it; nothing is asked of its server."""
    made = create_connection(
        estate.company.actor, estate.company.prod, f"{estate.word} pay", endpoint
    )
    estate.add(connection=made, slug=made.slug)
    add_account(estate, endpoint)
    return made


def add_account(estate: Estate, endpoint: str) -> None:
    """A connection that people use with accounts of their own, and the owner's account there."""
    company = estate.company
    there = {name: f"https://as.{estate.word}.example/{name}" for name in ("token", "authorize")}
    config = {"client_id": estate.word, "grant": "authorization_code"}
    config |= {f"{name}_url": url for name, url in there.items()}
    facts = {"auth_method": "oauth2", "auth_config": config}
    name = f"{estate.word} own"
    made = create_connection(company.actor, company.prod, name, endpoint, **facts)
    account = Account(
        organization=company.organization,
        environment=company.prod,
        connection=made,
        user=company.owner,
    )
    lent = Lent(f"{estate.word}-access", 0.0, f"{estate.word}-refresh")
    keep(account, Loan(lent, issuer=""))
    account.save()
    estate.add(personal=made, personal_slug=made.slug)


def add_catalogue(estate: Estate) -> None:
    """A connection with two tools, of which one has changed and waits for approval."""
    made = connect(estate, f"https://pay.{estate.word}.example/mcp")
    changed = [LISTED[0], {**LISTED[1], "description": f"Holds what {estate.word} owes."}]
    for listing in (LISTED, changed):
        sync.settle(estate.company.actor, sync.begin(made), listing)
    add_tools(estate, "send", "hold")


def add_live_catalogue(estate: Estate, endpoint: str) -> None:
    """A connection to a server that answers, with its tools, but one that was deleted."""
    made = connect(estate, endpoint)
    synced(estate.company, made)
    add_tools(estate, "echo", "add")
    failing = Tool.objects.get(connection=made, upstream_name="fail")
    delete_tool(estate.company.actor, failing)


def add_rest(estate: Estate) -> None:
    """Everything that stands upon the tools."""
    add_agents(estate)
    add_clients(estate)
    add_policies(estate)
    add_evidence(estate)


def add_tools(estate: Estate, tool: str, waiting: str) -> None:
    """Name two of a company's tools."""
    tools = {each.upstream_name: each for each in Tool.objects.filter(name__contains=estate.word)}
    estate.add(tool=tools[tool], waiting=tools[waiting], tool_name=tools[tool].name)


def add_agents(estate: Estate) -> None:
    """An agent in each environment, with tokens, and an account that is no agent's yet."""
    company, actor = estate.company, estate.company.actor
    agent = company.agent(f"{estate.word} clerk")
    connection = Connection.objects.get(pk=estate.refs["connection"])
    change_agent(actor, agent, connection=connection)
    elsewhere = company.agent(f"{estate.word} tester", company.dev)
    spare = create_service_account(
        actor, company.organization, f"{estate.word} spare", environment=company.prod
    )
    live, token = issue_token(actor, agent)
    dead = revoke_token(actor, issue_token(actor, agent)[0])
    _, other = issue_token(actor, elsewhere)
    estate.add(agent=agent, elsewhere=elsewhere, spare=spare, agent_slug=agent.slug)
    estate.add(account=agent.service_account, jti=live.jti, dead=dead.jti)
    estate.add(agent_token=token, elsewhere_token=other)


def add_clients(estate: Estate) -> None:
    """What the owner granted to a client, and a program's login, both for the agent in prod."""
    agent = Agent.objects.get(pk=estate.refs["agent"])
    probe = Client.objects.create(client_id=f"{estate.word}-probe", name=f"{estate.word} probe")
    grant = give(estate.company.actor, probe, agent, ["tool.invoke"])
    machine, _ = create_machine(estate.company.actor, agent, f"{estate.word} job", ["tool.invoke"])
    estate.add(grant=grant, machine=machine)


def add_policies(estate: Estate) -> None:
    """A policy in force in prod, with one rule, one binding, and an older version."""
    company, words = estate.company, f"{estate.word} may pay"
    rule = RuleDraft("tool.invoke", f"tool:{estate.refs['slug']}/*", "allow", name=words)
    binding = BindingDraft("agent", estate.refs["agent"])
    draft = PolicyDraft("To be renamed", (rule,), (binding,), company.prod)
    first = create_policy(company.actor, company.organization, draft)
    policy = change_policy(company.actor, first, {"name": words})
    estate.add(policy=policy, rule=policy.rules.get(), binding=policy.bindings.get())


@forging()
def add_evidence(estate: Estate) -> None:
    """A run that has not ended, with one step."""
    own, word = {"organization": estate.company.organization}, estate.word
    run = Run.objects.create(
        **own,
        environment=estate.company.prod,
        agent_id=estate.refs["agent"],
        agent_name=f"{word} clerk",
        tool_id=estate.refs["tool"],
        tool_name=f"{word}-pay/send",
        subject=f"agent:{estate.refs['agent']}",
        decision_id=uuid4(),
        timeout_seconds=30,
        door="rest",
        status="running",
        started_at=timezone.now() - timedelta(seconds=1),
        input_json={"text": f"from {word}"},
    )
    RunStep.objects.create(**own, run=run, step_type="decision", message=word)
    estate.add(run=run)
