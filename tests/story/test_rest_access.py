"""Whoever may look sees what each agent could use, with the rule that says so."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentxsuite.control.agents.services import create_agent
from agentxsuite.control.catalog.models import Connection, Tool, ToolDefinition
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import PolicyRule
from agentxsuite.control.policies.services import create_policy
from tests import cast
from tests.cast import client

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def agent(company):
    return create_agent(company.actor, company.prod, "Clerk", inbound_auth_method="none")


@pytest.fixture
def address(agent):
    return f"/api/v1/orgs/{agent.organization_id}/agents/{agent.id}/access/"


@pytest.fixture
def pay(company):
    """A connection; called with names, it has tools of these names."""
    server = Connection.objects.create(
        organization=company.organization,
        environment=company.prod,
        name="pay",
        slug="pay",
        endpoint="https://pay.example/mcp",
    )

    def pay(*names):
        own = {"organization": company.organization}
        for name in names:
            tool = Tool.objects.create(
                **own,
                environment=company.prod,
                connection=server,
                name=f"pay/{name}",
                upstream_name=name,
                version="1",
                sync_status="synced",
            )
            tool.definition = ToolDefinition.objects.create(
                **own, tool=tool, number=1, sha256="0" * 64, definition={"name": name}
            )
            tool.save()

    return pay


@pytest.fixture
def rules(company, agent):
    """Three rules, bound to the agent."""
    drafts = (
        RuleDraft("tool.invoke", "tool:pay/*", "allow", name="all of pay"),
        RuleDraft("tool.invoke", "tool:pay/delete", "deny", name="keep", message="Never."),
        RuleDraft(
            "tool.invoke",
            "tool:pay/send",
            "deny",
            {"path": "input.amount", "op": "gt", "value": 1000},
            name="big",
        ),
    )
    binding = BindingDraft("agent", str(agent.id), 7)
    return create_policy(
        company.actor, company.organization, PolicyDraft("Pay", drafts, (binding,))
    )


def test_every_tool_is_told_with_its_decision(company, address, pay, rules):
    """Otherwise: nobody can answer what an agent could do."""
    pay("delete", "read", "send", "zip")
    Tool.objects.filter(name="pay/zip").update(enabled=False)
    browser = client(company.people["vera"])
    answer = browser.get(address).json()
    assert answer["count"] == 4
    told = [
        (row["tool"]["name"], row["effect"], row["reason"], [r["rule_name"] for r in row["rules"]])
        for row in answer["results"]
    ]
    assert told == [
        ("pay/delete", "deny", "explicit_deny", ["keep"]),
        ("pay/read", "allow", "explicit_allow", ["all of pay"]),
        ("pay/send", "depends", "depends_on_call", ["big"]),
        ("pay/zip", "deny", "tool_disabled", []),
    ]
    delete, read, send, zipped = answer["results"]
    assert delete["detail"] == "Never."
    assert (read["rules"][0]["policy_name"], read["rules"][0]["priority"]) == ("Pay", 7)
    assert (send["depends_on_input"], send["paths"]) == (True, ["input.amount"])
    assert zipped["facts"] == {
        "agent_enabled": True,
        "own_connection": True,
        "connection_enabled": True,
        "tool_enabled": False,
        "approved": True,
        "offered": True,
    }
    assert browser.get(f"{address}?effect=DEPENDS").json()["results"] == [send]
    assert browser.get(f"{address}?effect=deny&page_size=1").json()["count"] == 2
    assert browser.get(f"{address}?effect=perhaps").status_code == 400


def test_without_a_policy_nothing_is_allowed(company, address, pay):
    """Otherwise: an empty installation looks open."""
    pay("read")
    [row] = client(company.owner).get(address).json()["results"]
    assert (row["effect"], row["reason"], row["rules"]) == ("deny", "default_deny", [])


def test_a_damaged_policy_is_told_as_such(company, address, pay, rules):
    """Otherwise: what cannot be read looks like a denial that somebody wanted."""
    pay("read")
    PolicyRule.objects.filter(name="big").update(conditions={"path": "moon", "op": "eq"})
    answer = client(company.owner).get(address)
    assert (answer.status_code, answer.json()["code"]) == (503, "pdp_error")


@pytest.mark.parametrize("query", ["", "?effect=allow"])
def test_a_list_costs_the_same_however_long(
    company, address, pay, rules, query, django_assert_num_queries
):
    """Otherwise: a server with many tools makes the question too dear to ask."""
    pay("read")
    browser = client(company.owner)
    with CaptureQueriesContext(connection) as short:
        browser.get(address + query)
    pay(*(f"tool{number}" for number in range(49)))
    with django_assert_num_queries(len(short)):
        assert len(browser.get(address + query).json()["results"]) == 50


def test_only_who_may_look_asks(company, rival, agent, address):
    """Otherwise: a stranger learns what another tenant's agents can do."""
    theirs = f"/api/v1/orgs/{rival.organization.id}/agents/{agent.id}/access/"
    assert client(company.people["ada"]).get(address).status_code == 403
    assert client(rival.owner).get(address).status_code == 404
    assert client(rival.owner).get(theirs).status_code == 404
    assert client().get(address).status_code == 401
