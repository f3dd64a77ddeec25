"""Everything of one tenant, one row of each, and two ways to break it."""

import copy
from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

from agentxsuite.control.agents.models import Agent, IssuedToken, ServiceAccount
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Account, Connection, Tool, ToolDefinition
from agentxsuite.control.oauth.models import (
    AccessToken,
    Client,
    Code,
    Grant,
    Machine,
    RefreshToken,
)
from agentxsuite.control.policies.models import Policy, PolicyBinding, PolicyRule, PolicyVersion
from agentxsuite.control.runs.models import IdempotencyKey, Run, RunStep
from agentxsuite.control.secretstore.models import DataKey, Secret, SecretVersion
from agentxsuite.control.tenancy.evidence import Evidence
from agentxsuite.control.tenancy.models import (
    Environment,
    Invitation,
    KeptAnswer,
    Organization,
    OrganizationMembership,
    Revision,
    Touched,
    User,
)
from tests.witness import forging

NEXT_CENTURY = datetime(2100, 1, 1, tzinfo=UTC)


def change(row, **values):
    """Update a row, past every check but the database's."""
    with writing(row):
        assert type(row).objects.filter(pk=row.pk).update(**values) == 1


def twin(row, **values):
    """Insert a copy of a row with a new id and some other values."""
    other = copied(row, **values)
    with writing(row):
        other.save(force_insert=True)
    return other


def writing(row):
    """What only the program's triggers and its ledger write, tests write by force."""
    return forging() if isinstance(row, Evidence | Revision | Touched) else nullcontext()


def copied(row, **values):
    """A copy of a row with a new id and some other values, not stored yet."""
    other = copy.copy(row)
    other.pk, other._state = row._meta.pk.get_default(), copy.copy(row._state)
    other._state.adding = True
    for name, value in values.items():
        setattr(other, name, value)
    return other


def tenant(name):
    """Make a tenant: a namespace of rows, named like their models."""
    its = SimpleNamespace(organization=Organization.objects.create(name=name))
    its.owned = {"organization": its.organization}
    its.environment = Environment.objects.create(**its.owned, name="prod", type="prod")
    its.stage = Environment.objects.create(**its.owned, name="stage")
    its.here = {**its.owned, "environment": its.environment}
    its.revision = Revision.objects.get(environment=its.environment)
    its.user = User.objects.create_user(f"{name}@example.org")
    its.membership = OrganizationMembership.objects.create(**its.owned, user=its.user)
    its.invitation = Invitation.objects.create(
        **its.owned,
        email="new@example.org",
        digest=name,
        expires_at=NEXT_CENTURY,
        invited_by=its.user,
    )
    its.kept_answer = KeptAnswer.objects.create(holder=its.user.id, address="POST /", key="1")
    add_secrets(its)
    add_catalog(its)
    add_agents(its, name)
    add_clients(its, name)
    add_policies(its)
    add_evidence(its)
    its.touched = Touched.objects.filter(environment=its.environment).earliest("revision")
    return its


def add_secrets(its):
    its.data_key = DataKey.objects.create(**its.owned, number=1, wrapped=b"k", wrapped_by="file:1")
    its.secret = Secret.objects.create(**its.here, purpose="upstream")
    its.secret_version = SecretVersion.objects.create(
        **its.owned, secret=its.secret, number=1, data_key=its.data_key, ciphertext=b"c"
    )


def add_catalog(its):
    its.connection = Connection.objects.create(
        **its.here, name="PDF", slug="pdf", endpoint="https://pdf.example/mcp"
    )
    its.elsewhere = Connection.objects.create(
        **its.owned, environment=its.stage, name="X", slug="x", endpoint="https://x.example/mcp"
    )
    its.account = Account.objects.create(
        **its.here, connection=its.connection, user=its.user, data_key=its.data_key, sealed=b"s"
    )
    its.tool = Tool.objects.create(
        **its.here, connection=its.connection, name="pdf/read", upstream_name="read", version="1"
    )
    its.other_tool = Tool.objects.create(
        **its.here, connection=its.connection, name="pdf/cut", upstream_name="cut", version="1"
    )
    its.definition, its.other_definition = (
        ToolDefinition.objects.create(
            **its.owned, tool=tool, number=1, sha256="0" * 64, definition={"name": "read"}
        )
        for tool in (its.tool, its.other_tool)
    )


def add_agents(its, name):
    its.service_account, its.spare_account = (
        ServiceAccount.objects.create(
            **its.here, name=login, issuer="https://id.example", subject=f"{name}/{login}"
        )
        for login in ("bot", "spare")
    )
    its.agent = Agent.objects.create(
        **its.here, name="Bot", slug="bot", service_account=its.service_account
    )
    its.token = IssuedToken.objects.create(
        **its.here, agent=its.agent, jti=f"jti-{name}", expires_at=NEXT_CENTURY
    )


def add_clients(its, name):
    """What a person granted to a client, with a code and tokens, and a program's login."""
    its.client = Client.objects.create(client_id=f"client of {name}")
    lent = Client.objects.create(client_id=f"machine of {name}")
    its.machine = Machine.objects.create(**its.here, agent=its.agent, client=lent, name="Job")
    its.grant = Grant.objects.create(
        **its.here, agent=its.agent, user=its.user, client=its.client, scopes=["tool.invoke"]
    )
    came = {**its.owned, "grant": its.grant, "application": its.client}
    its.code = Code.objects.create(**came, code=f"code-{name}", expires=NEXT_CENTURY)
    first = AccessToken.objects.create(
        **came, token_checksum=f"first-{name}", jti=f"first-{name}", expires=NEXT_CENTURY
    )
    its.refresh_token = RefreshToken.objects.create(
        **came, token_checksum=f"refresh-{name}", access_token=first
    )
    its.access_token = AccessToken.objects.create(
        **came,
        token_checksum=f"next-{name}",
        jti=f"next-{name}",
        expires=NEXT_CENTURY,
        source_refresh_token=its.refresh_token,
    )


def add_policies(its):
    its.policy = Policy.objects.create(**its.owned, name="baseline")
    its.local_policy = Policy.objects.create(**its.here, name="local")
    its.rule = PolicyRule.objects.create(
        **its.owned, policy=its.policy, action="tool.invoke", target="tool:*", effect="allow"
    )
    its.binding = PolicyBinding.objects.create(
        **its.owned, policy=its.policy, scope_type="org", scope_id=str(its.organization.pk)
    )
    its.policy_version = PolicyVersion.objects.create(
        **its.owned, policy=its.policy, number=1, rules_json=[]
    )


@forging()
def add_evidence(its):
    its.run = Run.objects.create(
        **its.here,
        agent=its.agent,
        tool=its.tool,
        subject=f"agent:{its.agent.pk}",
        decision_id=uuid4(),
        timeout_seconds=30,
        door="rest",
        input_json={},
    )
    its.step = RunStep.objects.create(**its.owned, run=its.run, step_type="decided")
    its.key = IdempotencyKey.objects.create(
        **its.owned, principal="a", method="POST", path="/", key="k", digest="d", run_id=its.run.id
    )
    its.event = AuditEvent.objects.create(
        **its.here, event_type="run_started", subject="a", action="b", target="c"
    )
