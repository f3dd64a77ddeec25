"""`policies/evaluate/` tells what would become of a call, and every reason there is for it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Connection, Tool, ToolDefinition
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy, PolicyRule, PolicyVersion
from agentxsuite.control.policies.services import create_policy, delete_policy, replace_policy
from agentxsuite.control.tenancy.members import change_member, remove_member
from agentxsuite.control.tenancy.models import OrganizationMembership
from tests import cast
from tests.cast import client
from tests.witness import forging

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]

ANYWHERE = "/api/v1/policies/evaluate/"
SMALL = {"path": "input.amount", "op": "lte", "value": 100}
PAY = {"action": "tool.invoke", "target": "tool:pay/transfer"}


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/policies/evaluate/"


@pytest.fixture
def alice(company):
    return client(company.owner)


@pytest.fixture
def clerk(company):
    return company.agent()


@pytest.fixture
def tool(company):
    """The tool `pay/transfer`, approved."""
    own = {"organization": company.organization, "environment": company.prod}
    connection = Connection.objects.create(
        **own, name="Pay", slug="pay", endpoint="https://pay.example"
    )
    tool = Tool.objects.create(
        **own,
        connection=connection,
        name="pay/transfer",
        upstream_name="transfer",
        schema_json={"type": "object"},
        sync_status="synced",
    )
    tool.definition = ToolDefinition.objects.create(
        organization=company.organization, tool=tool, number=1, sha256="0" * 64, definition={}
    )
    tool.save()
    return tool


@pytest.fixture
def write(company):
    """Write a policy of rules bound to the organization, or elsewhere."""

    def write(*rules, name="rules", bound=None):
        scope = bound or BindingDraft("org", str(company.organization.id))
        return create_policy(
            company.actor, company.organization, PolicyDraft(name, rules, (scope,))
        )

    return write


@pytest.fixture
def ask(alice, home, clerk):
    def ask(path=home, browser=alice, **question):
        named = {"agent": "clerk"} if {"agent", "user"}.isdisjoint(question) else {}
        return browser.post(path, {**PAY, **named, **question}, format="json")

    return ask


def told(answer):
    assert answer.status_code == 200, answer.content
    return answer.json()


def rule(effect, conditions=None, target="tool:pay/*", **facts):
    return RuleDraft("tool.invoke", target, effect, conditions, **facts)


def test_an_allow_tells_the_rule_that_decides(ask, write, tool, clerk, company):
    """Otherwise: nobody can find out before a call which rule lets it pass."""
    policy = write(rule("allow", name="pay", terms={"timeout": 9}))
    answer = told(ask(input={"amount": 5}))
    assert (answer["allowed"], answer["effect"]) == (True, "allow")
    assert answer["determining"]["rule_id"] == str(policy.rules.get().id)
    assert answer["refusal"] is None
    assert answer["facts"] == []
    assert answer["terms"]["timeout"] == 9
    assert answer["versions"] == {str(policy.id): 1}
    assert [each["rule_name"] for each in answer["matching"]] == ["pay"]
    assert answer["asked"] == {
        "organization": str(company.organization.id),
        "environment": str(company.prod.id),
        "agent": {"id": str(clerk.id), "slug": "clerk"},
        "user": None,
        "tool": {"id": str(tool.id), "name": "pay/transfer"},
        **PAY,
    }
    assert set(answer["as_of"]) == {"policies", "roles", "facts"}


def test_a_denial_names_near_misses_and_what_failed(ask, write, tool):
    """Otherwise: whoever is denied tries values until one passes."""
    write(rule("allow", SMALL, name="small"))
    answer = told(ask(input={"amount": 500}))
    assert (answer["allowed"], answer["reason"]) == (False, "default_deny")
    assert answer["refusal"]["paths"] == ["input.amount"]
    (miss,) = answer["near_misses"]
    assert miss["rule"]["rule_name"] == "small"
    assert miss["failing"][0]["outcome"] == "false"
    assert answer["listed"]
    strange = told(ask(input={"amount": "500"}))
    assert strange["errors"][0]["code"] == "wrong_type"


def test_context_is_what_the_caller_says_and_nothing_else(ask, write, tool):
    """Otherwise: a trial answers for the caller's own address, or for none."""
    write(rule("allow", {"path": "context.ip", "op": "cidr", "value": "10.0.0.0/8"}))
    assert told(ask(context={"ip": "10.1.2.3"}))["allowed"]
    silent = told(ask())
    assert silent["errors"][0] == {
        "rule_id": silent["near_misses"][0]["rule"]["rule_id"],
        "path": "context.ip",
        "code": "missing_path",
    }


def test_a_person_alone_and_as_an_agent(ask, write, tool, company):
    """Otherwise: nobody knows what a person's role lets them do, or keeps them from."""
    write(rule("allow"), name="all")
    write(rule("deny"), name="not operators", bound=BindingDraft("role", "operator"))
    write(rule("allow"), name="viewers", bound=BindingDraft("role", "viewer"))
    bob, vera = company.people["bob"], company.people["vera"]
    assert not told(ask(agent="clerk", user=bob.email))["allowed"]
    alone = told(ask(user=str(vera.id), environment="prod"))
    assert alone["determining"]["policy_name"] in {"all", "viewers"}
    assert alone["asked"]["user"]["role"] == "viewer"
    lent = told(ask(agent="clerk", user=str(vera.id)))
    assert (lent["effect"], lent["allowed"]) == ("allow", False)
    assert lent["refusal"]["code"] == "role_too_low"


def test_facts_outside_policy_stand_beside_the_decision(ask, write, tool, clerk):
    """Otherwise: a trial says yes where every call is refused."""
    write(rule("allow"))
    Agent.objects.filter(id=clerk.id).update(enabled=False)
    Connection.objects.update(enabled=False)
    Tool.objects.update(enabled=False, sync_status="pending_review")
    answer = told(ask())
    assert (answer["effect"], answer["allowed"], answer["listed"]) == ("allow", False, False)
    assert [fact["code"] for fact in answer["facts"]] == [
        *("agent_disabled", "connection_disabled", "tool_disabled", "tool_quarantined")
    ]
    assert answer["refusal"]["code"] == "agent_disabled"


def test_what_is_no_tool_is_asked_of_policy_all_the_same(ask, write):
    """Otherwise: rules for what comes later cannot be tried."""
    write(rule("allow"), RuleDraft("resource.read", "resource:web/**", "allow"))
    assert [fact["code"] for fact in told(ask())["facts"]] == ["tool_unknown"]
    read = told(ask(action="resource.read", target="resource:web/https/x/y"))
    assert (read["effect"], read["asked"]["tool"]) == ("allow", None)
    assert [fact["code"] for fact in read["facts"]] == ["resource_unknown"]
    strange = told(ask(target="tool:pay/../x"))
    assert strange["errors"][0]["path"] == "request.target"


def test_resources_and_prompts_stand_with_their_connection(ask, write, tool):
    """Otherwise: a trial would allow what no agent can read."""
    write(RuleDraft("*", "resource:**", "allow"), RuleDraft("*", "prompt:**", "allow"))
    slug = tool.connection.slug
    for action, target in (
        ("resource.read", f"resource:{slug}/https/x/y"),
        ("prompt.get", f"prompt:{slug}/greet"),
    ):
        assert told(ask(action=action, target=target))["allowed"]
        wrong = told(ask(action=action, target=f"tool:{slug}/x"))
        assert (wrong["allowed"], wrong["facts"]) == (False, [])
    Connection.objects.update(enabled=False)
    closed = told(ask(action="prompt.get", target=f"prompt:{slug}/greet"))
    assert closed["refusal"]["code"] == "connection_disabled"


def test_a_moment_selects_the_versions_in_force_then(ask, write, tool, company):
    """Otherwise: nobody can find out why a call of last week was allowed."""
    policy = write(rule("allow", name="once"))
    before, after = timezone.now() - timedelta(days=2), timezone.now() - timedelta(days=1)
    PolicyVersion.objects.update(created_at=before)
    scope = BindingDraft("org", str(company.organization.id))
    replace_policy(company.actor, policy, PolicyDraft("rules", (rule("deny"),), (scope,)))
    assert not told(ask())["allowed"]
    then = told(ask(at=after.isoformat()))
    assert (then["allowed"], then["versions"]) == (True, {str(policy.id): 1})
    assert then["as_of"]["policies"].startswith(after.date().isoformat())
    assert then["as_of"]["facts"] > then["as_of"]["policies"]
    assert told(ask(at=(before - timedelta(days=1)).isoformat()))["reason"] == "default_deny"
    delete_policy(company.actor, policy)
    assert told(ask())["reason"] == "default_deny"
    assert told(ask(at=after.isoformat()))["allowed"]


def test_a_moment_sets_the_clock(ask, write, tool):
    """Otherwise: a rule for office hours can be tried in office hours only."""
    hours = {"path": "request.time", "op": "time_between", "value": ["08:00", "18:00"]}
    write(rule("allow", hours))
    day = (timezone.now() + timedelta(days=1)).date()
    assert told(ask(at=f"{day}T09:00:00Z"))["allowed"]
    assert not told(ask(at=f"{day}T20:00:00+01:00"))["allowed"]


def test_a_moment_selects_the_roles_in_force_then(ask, write, tool, company):
    """Otherwise: what somebody was allowed before they lost a role cannot be found out."""
    write(rule("allow"), bound=BindingDraft("role", "operator"))
    PolicyVersion.objects.update(created_at=timezone.now() - timedelta(days=9))
    bob = company.people["bob"]
    member = OrganizationMembership.objects.get(user=bob)
    added = timezone.now()
    change_member(company.actor, member, role="viewer")
    changed = timezone.now()
    change_member(company.actor, member, is_active=False)
    change_member(company.actor, member, is_active=True)
    remove_member(company.actor, member)
    asked = {"user": str(bob.id), "environment": "prod"}
    assert told(ask(**asked, at=added.isoformat()))["allowed"]
    later = told(ask(**asked, at=changed.isoformat()))
    assert (later["allowed"], later["asked"]["user"]["role"]) == (False, "viewer")
    for moment in ({}, {"at": "2020-01-01T00:00:00Z"}):
        gone = ask(**asked, **moment)
        assert gone.json()["errors"][0]["path"] == "/user"


def test_a_role_without_a_record_is_as_old_as_the_membership(ask, write, tool, company):
    """Otherwise: where old evidence was let go, everybody has always been what they are."""
    write(rule("allow"))
    now = timezone.now()
    with forging():
        AuditEvent.objects.all().delete()
    vera = {"user": company.people["vera"].email, "environment": "prod"}
    assert ask(**vera, at=(now - timedelta(days=1)).isoformat()).status_code == 400
    OrganizationMembership.objects.update(created_at=now - timedelta(days=2))
    assert ask(**vera, at=(now - timedelta(days=1)).isoformat()).status_code == 200


def test_a_suspended_member_has_no_role(ask, write, tool, company):
    """Otherwise: a trial says what somebody may do who may do nothing."""
    vera = company.people["vera"]
    OrganizationMembership.objects.filter(user=vera).update(is_active=False)
    assert ask(user=str(vera.id), environment="prod").status_code == 400


def test_the_global_form_finds_the_organization(ask, write, tool, company, rival, clerk):
    """Otherwise: whoever knows only an agent cannot ask."""
    write(rule("allow"))
    for agent in (str(clerk.id), "CLERK"):
        assert told(ask(ANYWHERE, agent=agent))["asked"]["agent"]["id"] == str(clerk.id)
    bob = told(ask(ANYWHERE, user=company.people["bob"].email, environment="prod"))
    assert bob["asked"]["organization"] == str(company.organization.id)
    OrganizationMembership.objects.create(
        user=company.owner, organization=rival.organization, role="viewer"
    )
    rival.agent()
    several = ask(ANYWHERE, agent="clerk")
    assert several.json()["errors"][0]["path"] == "/agent"
    assert told(ask(ANYWHERE, agent=str(clerk.id)))["allowed"]


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ({"agent": "nobody"}, "/agent"),
        ({"agent": "3fa85f64-5717-4562-b3fc-2c963f66afa6"}, "/agent"),
        ({"user": "nobody@acme.example"}, "/user"),
        ({"user": "vera@acme.example"}, "/environment"),
        ({"user": "vera@acme.example", "environment": "moon"}, "/environment"),
        ({"action": None}, "/action"),
        ({"target": ""}, "/target"),
        ({"input": [1]}, "/input"),
        ({"context": {"time": "noon"}}, "/context/time"),
        ({"context": {"door": "back"}}, "/context/door"),
        ({"at": "soon"}, "/at"),
        ({"agnet": "x"}, "/agnet"),
    ],
)
def test_bad_input_is_told_by_its_field(ask, question, path):
    """Otherwise: somebody guesses for an hour what was wrong."""
    answer = ask(**question)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, path)


def test_somebody_must_be_named(alice, home):
    """Otherwise: a question about nobody is answered as if it were about somebody."""
    for path in (home, ANYWHERE):
        answer = alice.post(path, PAY, format="json")
        assert answer.json()["errors"][0]["path"] == "/agent"


def test_an_agent_in_two_environments_is_not_guessed(ask, company, clerk, write):
    """Otherwise: the answer is for another environment than was meant."""
    other = company.agent(environment=company.dev)
    assert ask(agent="clerk").json()["code"] == "environment_missing"
    for environment in ("dev", str(company.dev.id)):
        named = told(ask(agent="clerk", environment=environment))
        assert named["asked"]["agent"]["id"] == str(other.id)


def test_a_stranger_learns_nothing(ask, company, rival, home, clerk):
    """Otherwise: one tenant asks what another one's agents may do."""
    charlie = client(rival.owner)
    assert ask(browser=charlie).status_code == 404
    assert ask(browser=client()).status_code == 401
    missing = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    unknown = ask(ANYWHERE, charlie, agent=missing)
    assert ask(ANYWHERE, charlie, agent=str(clerk.id)).content == unknown.content
    foreign, nobody = str(company.owner.id), ask(ANYWHERE, charlie, user=missing)
    assert ask(ANYWHERE, charlie, user=foreign).content == nobody.content
    own = f"/api/v1/orgs/{rival.organization.id}/policies/evaluate/"
    for question in ({"agent": str(clerk.id)}, {"user": foreign, "environment": "prod"}):
        assert ask(own, charlie, **question).status_code == 400
    place = {"user": str(rival.owner.id), "environment": str(company.prod.id)}
    assert ask(own, charlie, **place).json()["errors"][0]["path"] == "/environment"


@pytest.mark.parametrize(("name", "status"), [("bob", 200), ("vera", 200), ("ada", 403)])
def test_who_reads_policies_may_ask(ask, write, company, clerk, name, status):
    """Otherwise: who may read the rules cannot see what they mean, or others can."""
    browser = client(company.people[name])
    assert ask(browser=browser).status_code == status
    assert ask(ANYWHERE, browser, agent=str(clerk.id)).status_code == status


def test_asking_changes_nothing(ask, write, tool):
    """Otherwise: a trial fills the audit, or counts as a call."""
    write(rule("allow"))
    before = AuditEvent.objects.count()
    told(ask())
    assert AuditEvent.objects.count() == before


def test_a_damaged_rule_is_no_answer(ask, write, tool):
    """Otherwise: a trial says yes while every call is refused."""
    policy: Policy = write(rule("allow"))
    PolicyRule.objects.filter(policy=policy).update(target="nonsense")
    answer = ask()
    assert (answer.status_code, answer.json()["code"]) == (503, "pdp_error")


def test_a_schema_that_does_not_compile_is_no_definition(ask, write, tool):
    """Otherwise: a trial says yes to a tool that every call finds quarantined."""
    write(rule("allow"))
    Tool.objects.update(schema_json={"type": 7})
    assert told(ask())["refusal"]["code"] == "tool_quarantined"
