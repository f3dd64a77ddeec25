"""Who may use what is told as the gateway decides it: for every state of agent, tool and policy."""

from datetime import UTC, datetime
from itertools import product

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.agents.reach import Bench, agents_in, tools_in
from agentxsuite.control.agents.reach_pages import agents_of_tool
from agentxsuite.control.agents.services import create_agent, create_service_account
from agentxsuite.control.catalog.models import Connection, Tool, ToolDefinition
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.in_force import PoliciesUnreadable
from agentxsuite.control.policies.models import PolicyRule
from agentxsuite.control.policies.services import create_policy
from agentxsuite.gateway import authorize
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.orm.snapshot import load_snapshot
from agentxsuite.gateway.refusals import Denied
from tests import cast

company = cast.company  # fixture
pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
INPUTS = ({}, {"amount": 5}, {"amount": 5000}, {"amount": "5"}, {"amount": None, "to": "x"})
ORIGINS = ({"door": "rest", "address": "192.0.2.7"}, {"door": "mcp", "address": "10.0.0.7"})
BIG = {"path": "input.amount", "op": "gt", "value": 1000}
SMALL = {"path": "input.amount", "op": "lte", "value": 1000}
DEV = {"path": "env.type", "op": "eq", "value": "dev"}
NIGHT = {"path": "principal.tags", "op": "contains", "value": "night"}
SAFE = {"path": "tool.annotations.readOnlyHint", "op": "eq", "value": True}
INSIDE = {"path": "context.ip", "op": "cidr", "value": "10.0.0.0/8"}
AT_DESK = {"path": "principal.user", "op": "exists", "value": True}


def tool_of(connection, name, status="synced", *, enabled=True, annotations=None):
    """A tool with an approved definition, in some state."""
    where = {"organization": connection.organization}
    tool = Tool.objects.create(
        **where,
        environment=connection.environment,
        connection=connection,
        name=f"{connection.slug}/{name}",
        upstream_name=name,
        version="1",
        schema_json={"type": "object"},
        sync_status=status,
        enabled=enabled,
    )
    tool.definition = ToolDefinition.objects.create(
        **where,
        tool=tool,
        number=1,
        sha256="0" * 64,
        definition={"name": name, "annotations": annotations or {}},
    )
    tool.save()
    return tool


def connection_of(company, slug, **facts):
    return Connection.objects.create(
        organization=company.organization,
        environment=company.prod,
        name=slug,
        slug=slug,
        endpoint="https://x.example/mcp",
        **facts,
    )


@pytest.fixture
def town(company):
    """Agents and tools in every state that a call asks about."""
    pay, mail, off = (
        connection_of(company, "pay"),
        connection_of(company, "mail"),
        connection_of(company, "off", enabled=False),
    )
    tool_of(pay, "send")
    tool_of(pay, "look", annotations={"readOnlyHint": True})
    tool_of(pay, "gone", "stale")
    tool_of(pay, "changed", "pending_review")
    tool_of(mail, "send", enabled=False)
    tool_of(mail, "read")
    tool_of(off, "any")
    raw = tool_of(mail, "new")
    Tool.objects.filter(id=raw.id).update(definition=None)
    login = create_service_account(company.actor, company.organization, "shut", enabled=False)
    free = {"inbound_auth_method": "none"}
    for name, facts in {
        "plain": free,
        "night": {**free, "tags": ["night"]},
        "runner": {**free, "mode": "runner", "connection": pay},
        "disabled": {**free, "enabled": False},
        "shut": {"service_account": login},
    }.items():
        create_agent(company.actor, company.prod, name, **facts)
    return company


def write(company, name, *rules, scope=None):
    """A policy of rules `(effect, target, conditions)`."""
    drafts = tuple(
        RuleDraft("tool.invoke", target, effect, conditions, name=f"{name} {number}")
        for number, (effect, target, conditions) in enumerate(rules)
    )
    binding = BindingDraft(*(scope or ("org", str(company.organization.id))))
    create_policy(company.actor, company.organization, PolicyDraft(name, drafts, (binding,)))


POLICIES = {
    "none": [],
    "all": [("allow", "tool:*", None)],
    "some": [("allow", "tool:pay/*", None), ("deny", "tool:*/send", None)],
    "small": [("allow", "tool:*", SMALL)],
    "big": [("allow", "tool:*", None), ("deny", "tool:pay/*", BIG)],
    "harmless": [("allow", "tool:*", None), ("deny", "tool:*", {"all": [BIG, DEV]})],
    "either": [("allow", "tool:*", {"any": [SMALL, NIGHT]})],
    "mixed": [("allow", "tool:*", {"all": [SMALL, NIGHT]}), ("allow", "tool:mail/*", None)],
    "error": [("allow", "tool:*", None), ("deny", "tool:pay/*", {"all": [BIG, AT_DESK]})],
    "safe": [("allow", "tool:*", SAFE)],
    "address": [("allow", "tool:*", INSIDE)],
    "outside": [("allow", "tool:*", None), ("deny", "tool:pay/*", {"not": INSIDE})],
    "door": [("allow", "tool:*", {"path": "request.door", "op": "eq", "value": "mcp"})],
    "both": [("allow", "tool:*", {"all": [INSIDE, SMALL]})],
}


def outcomes(snapshot, agent, tool, call_of):
    """What the gateway answers to various calls: None, or the refusal's code; and what it lists."""
    principal = Principal(snapshot, snapshot.agents[str(agent.id)], None, None, "agent_token")
    target = snapshot.tools[str(tool.id)]
    found, listed = [], False
    for arguments, origin in product(INPUTS, ORIGINS):
        call = call_of(arguments, **origin)
        listed = listed or authorize.visible(principal, target, call)
        decision = authorize.decide(principal, target, call)
        try:
            authorize.enforce(decision, principal, target, call)
            found.append(None)
        except Denied as denied:
            found.append(denied.code)
    return listed, found


@pytest.mark.parametrize("policy", POLICIES)
def test_the_answer_is_what_calls_will_meet(town, policy):
    """Otherwise: a security team reads that an agent cannot, and it does."""
    if POLICIES[policy]:
        write(town, policy, *POLICIES[policy])
    place = str(town.organization.id), str(town.prod.id)
    snapshot, bench = load_snapshot(*place, None), Bench(town.prod, NOW)

    def call_of(arguments, door, address):
        return Call(
            door=door,
            organization=place[0],
            environment=place[1],
            credential=None,
            address=address,
            client="",
            received=NOW,
            arguments=arguments,
        )

    seen = set()
    for agent, tool in product(agents_in(town.prod), tools_in(town.prod)):
        verdict = bench.verdict(agent, tool)
        listed, found = outcomes(snapshot, agent, tool, call_of)
        seen.add(verdict.effect)
        assert listed == (verdict.effect != "deny"), (agent, tool)
        if verdict.effect == "allow":
            assert set(found) == {None}
        elif verdict.effect == "deny":
            assert None not in found
            assert verdict.reason == found[0]
        else:
            assert None in found
            assert len(set(found)) > 1
            assert verdict.rules
    assert "deny" in seen  # who is disabled always is


def test_the_rules_that_look_at_the_arguments_are_named(town):
    """Otherwise: somebody reads that it depends, and not on what."""
    write(town, "big", *POLICIES["big"])
    bench = Bench(town.prod, NOW)
    agent, tool = Agent.objects.get(name="plain"), tools_in(town.prod).get(name="pay/send")
    verdict = bench.verdict(agent, tool)
    assert (verdict.effect, verdict.depends_on_input) == ("depends", True)
    assert verdict.paths == ("input.amount",)
    assert [(rule.rule_name, rule.effect) for rule in verdict.rules] == [("big 1", "deny")]


def test_an_address_is_no_argument(town):
    """Otherwise: somebody looks for the right arguments where the address decides."""
    write(town, "inside", ("allow", "tool:*", {"not": {"any": [INSIDE, NIGHT]}}))
    agent, tool = Agent.objects.get(name="plain"), tools_in(town.prod).get(name="pay/send")
    verdict = Bench(town.prod, NOW).verdict(agent, tool)
    assert (verdict.effect, verdict.depends_on_input) == ("depends", False)
    assert verdict.paths == ("context.ip",)


def test_of_two_halves_both_are_named(town):
    """Otherwise: the condition that would let the call pass is not found."""
    deny, allow = ("deny", "tool:*", BIG), ("allow", "tool:*", SMALL)
    write(town, "two", deny, allow)
    agent, tool = Agent.objects.get(name="plain"), tools_in(town.prod).get(name="pay/send")
    verdict = Bench(town.prod, NOW).verdict(agent, tool)
    assert [rule.effect for rule in verdict.rules] == ["deny", "allow"]


@pytest.mark.parametrize(("query", "count"), [("", 5), ("?effect=deny", 2), ("?page_size=2", 2)])
def test_the_agents_of_a_tool_are_told_too(town, query, count, django_assert_num_queries):
    """Otherwise: nobody can answer who could have called a tool."""
    write(town, "all", *POLICIES["all"])
    tool = tools_in(town.prod).select_related("environment").get(name="pay/look")
    request = Request(APIRequestFactory().get(f"/{query}"))
    with django_assert_num_queries(5 if "effect" in query else 6):
        answer = agents_of_tool(request, tool).data
    assert len(answer["results"]) == count
    assert {row["tool"]["name"] for row in answer["results"]} == {"pay/look"}
    names = [row["agent"]["name"] for row in answer["results"]]
    assert names == sorted(names)


def test_a_damaged_policy_is_no_answer(town):
    """Otherwise: what cannot be read is taken for a permission, or for none."""
    write(town, "all", *POLICIES["all"])
    PolicyRule.objects.update(conditions={"path": "moon.phase", "op": "eq", "value": 1})
    with pytest.raises(PoliciesUnreadable):
        Bench(town.prod)
