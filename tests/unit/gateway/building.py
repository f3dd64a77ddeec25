"""Facts, calls and entries made by hand, for tests of single steps of the story."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from msgspec import structs

from agentxsuite.engines.pdp import Agent, Binding, Member, Policy, PolicySet, Rule
from agentxsuite.engines.schemas import Schema
from agentxsuite.engines.upstream import Endpoint
from agentxsuite.gateway.call import Call, Entry, Principal
from agentxsuite.gateway.facts import Connection, Snapshot, Tool

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ORGANIZATION, ENVIRONMENT, AGENT, TOOL, CONNECTION, USER = (str(uuid4()) for _ in range(6))
SCHEMA = {
    "type": "object",
    "properties": {"amount": {"type": "integer"}},
    "required": ["amount"],
}


def policy_set(*rules: Rule) -> PolicySet:
    """Rules bound to the organization."""
    policy = Policy(
        id=str(uuid4()),
        name="house rules",
        version=3,
        organization=ORGANIZATION,
        environment=None,
        active=True,
        rules=rules,
        bindings=(Binding("org", ORGANIZATION),),
    )
    return PolicySet.compile([policy], ORGANIZATION, ENVIRONMENT)


def rule(effect: str, target: str = "tool:*", **facts) -> Rule:
    return Rule(str(uuid4()), f"{effect} {target}", 0, "tool.invoke", target, effect, **facts)


def connection(**facts) -> Connection:
    known = Connection(
        id=CONNECTION,
        slug="pay",
        enabled=True,
        endpoint=Endpoint(CONNECTION, "https://pay.example/mcp"),
        secret_version=2,
    )
    return replace(known, **facts)


def tool(**facts) -> Tool:
    known = Tool(
        id=TOOL,
        name="pay/transfer",
        upstream_name="transfer",
        mcp_name="pay__transfer",
        version="1",
        enabled=True,
        sync_status="synced",
        connection=connection(),
        definition={"name": "transfer", "inputSchema": SCHEMA},
        schema=Schema.compile(SCHEMA),
        attributes={"id": TOOL, "name": "pay/transfer"},
    )
    return replace(known, **facts)


def agent(**facts) -> Agent:
    known = Agent(
        id=AGENT,
        name="Clerk",
        slug="clerk",
        mode="caller",
        enabled=True,
        connection=None,
        attributes={"kind": "agent", "id": AGENT},
    )
    return replace(known, **facts)


def snapshot(policies: PolicySet | None, *tools: Tool) -> Snapshot:
    return Snapshot(
        organization=ORGANIZATION,
        environment=ENVIRONMENT,
        revision=1,
        attributes={"id": ENVIRONMENT, "name": "prod", "type": "prod"},
        policies=policies,
        agents={AGENT: agent()},
        members={},
        tools={each.id: each for each in tools},
        by_name={each.name: each for each in tools},
        by_mcp_name={each.mcp_name: each for each in tools},
        by_upstream={(each.connection.slug, each.upstream_name): each for each in tools},
    )


def principal(policies: PolicySet | None, *, role: str | None = None, **facts) -> Principal:
    member = Member(USER, "olga@acme.example", role) if role else None
    known = Principal(snapshot(policies, tool()), agent(), member, None, "agent_token")
    return structs.replace(known, **facts)


def call(**facts) -> Call:
    known = Call(
        door="rest",
        organization=ORGANIZATION,
        environment=ENVIRONMENT,
        credential=None,
        address="192.0.2.7",
        client="pytest",
        received=NOON,
        tool="pay/transfer",
        arguments={"amount": 5},
    )
    return structs.replace(known, **facts)


def entry(**facts) -> Entry:
    """An entry of a call that has been identified and has found its tool."""
    known = Entry(call())
    known.principal, known.target = principal(policy_set(rule("allow"))), tool()
    for name, value in facts.items():
        setattr(known, name, value)
    return known
