"""May they? Facts that no policy overrides, then the decision."""

import pytest

from agentxsuite.gateway.authorize import check_scope, decide, enforce, reasons, standing, visible
from agentxsuite.gateway.facts import Offer
from agentxsuite.gateway.refusals import Denied, InsufficientScope, Unavailable
from tests.unit.gateway.building import (
    USER,
    agent,
    call,
    connection,
    policy_set,
    principal,
    rule,
    tool,
)

ALLOWED = policy_set(rule("allow"))
SMALL = {"path": "input.amount", "op": "lte", "value": 100}


def judge(who, what, asked):
    decision = decide(who, what, asked)
    enforce(decision, who, what, asked)
    return decision


def test_an_allowed_call_passes():
    """Nothing would work at all."""
    assert judge(principal(ALLOWED), tool(), call()).allowed


@pytest.mark.parametrize(
    ("who", "what", "code"),
    [
        ({"agent": agent(enabled=False)}, {}, "agent_disabled"),
        ({"agent": agent(mode="runner", connection="x")}, {}, "runner_other_connection"),
        ({}, {"connection": connection(enabled=False)}, "connection_disabled"),
        ({}, {"enabled": False}, "tool_disabled"),
        ({}, {"sync_status": "pending_review"}, "tool_quarantined"),
        ({}, {"schema": None}, "tool_quarantined"),
        ({}, {"sync_status": "stale"}, "tool_stale"),
    ],
)
def test_facts_close_the_door_that_policy_opens(who, what, code):
    """A policy could let a disabled, unreviewed or foreign tool be called."""
    caller, target = principal(ALLOWED, **who), tool(**what)
    with pytest.raises(Denied) as denied:
        judge(caller, target, call())
    assert denied.value.code == code
    assert denied.value.listed
    assert not visible(caller, target, call())


def test_a_runner_uses_its_own_connection():
    """Runners could not work at all."""
    own = principal(ALLOWED, agent=agent(mode="runner", connection=connection().id))
    assert standing(own, tool()) is None


def test_a_denial_tells_the_rules_message_and_the_paths_but_no_value():
    """An agent could not mend its call, or would learn what the rule compares with."""
    rules = policy_set(rule("allow", conditions=SMALL), rule("deny", conditions={"not": SMALL}))
    with pytest.raises(Denied) as denied:
        judge(principal(rules), tool(), call(arguments={"amount": 5000}))
    assert denied.value.code == "explicit_deny"
    assert denied.value.listed
    assert denied.value.members() == {"paths": ["input.amount"]}
    assert "5000" not in denied.value.detail
    assert "100" not in denied.value.detail


def test_a_rules_own_message_is_given_as_it_stands():
    """A message with braces in it would break the answer."""
    rules = policy_set(rule("deny", message="Ask {finance} first."))
    with pytest.raises(Denied) as denied:
        judge(principal(rules), tool(), call())
    assert denied.value.detail == "Ask {finance} first."
    assert not denied.value.listed
    assert denied.value.members() == {}


def test_what_no_rule_allows_is_denied():
    """A forgotten rule would open the door."""
    with pytest.raises(Denied) as denied:
        judge(principal(policy_set()), tool(), call())
    assert denied.value.code == "default_deny"


def test_unreadable_policies_allow_nothing():
    """A policy that cannot be compiled would count as none at all."""
    with pytest.raises(Unavailable) as closed:
        decide(principal(None), tool(), call())
    assert closed.value.code == "pdp_error"
    assert closed.value.status == 503


@pytest.mark.parametrize("scopes", [None, {"tool.invoke"}, {"tool.*"}, {"*"}])
def test_scopes_that_name_the_action_suffice(scopes):
    """Agents with proper tokens would be turned away."""
    check_scope(principal(ALLOWED, scopes=scopes and frozenset(scopes)), "tool.invoke")


@pytest.mark.parametrize("scopes", [set(), {"resource.read"}, {"tool"}, {"resource.*"}])
def test_a_token_is_good_for_its_scopes_only(scopes):
    """A token for reading would call tools."""
    with pytest.raises(InsufficientScope) as refused:
        decide(principal(ALLOWED, scopes=frozenset(scopes)), tool(), call())
    assert refused.value.scope == "tool.invoke"


def test_a_person_running_as_an_agent_is_bound_by_their_own_denies():
    """A person could do through an agent what is forbidden to them."""
    hers = {"path": "principal.user.id", "op": "eq", "value": USER, "on_missing": "no_match"}
    personal = policy_set(rule("allow"), rule("deny", conditions=hers))
    assert judge(principal(personal), tool(), call()).allowed
    with pytest.raises(Denied):
        judge(principal(personal, role="operator"), tool(), call())


def test_a_denial_on_record_explains_itself():
    """An auditor would know that, but not why."""
    rules = policy_set(rule("allow", conditions=SMALL))
    asked = call(arguments={"amount": 5000})
    who = principal(rules)
    kept = reasons(decide(who, tool(), asked), who, tool(), asked)
    miss = kept["explanation"]["near_misses"][0]
    assert miss["failing"][0]["path"] == "input.amount"
    allowed = reasons(decide(who, tool(), call()), who, tool(), call())
    assert allowed == {"rule": "allow tool:*", "policy": "house rules", "policy_version": 3}


def advised(policies, what=None, **facts):
    """The members of the denial that this caller is told."""
    who, target = principal(policies, **facts), what or tool()
    with pytest.raises(Denied) as denied:
        judge(who, target, call())
    return denied.value.members()


def test_who_may_read_policies_is_told_what_would_allow_it():
    """Somebody who sets up a first call reads documentation for an hour."""
    line = "agentxsuite policies allow --agent clerk --tool pay/transfer --env prod"
    person = {"role": "operator", "auth_method": "login"}
    assert advised(policy_set(), **person) == {"allow": line}
    odd = tool(name="pay/it's; rm")
    assert advised(policy_set(), odd, **person)["allow"] == line.replace(
        "pay/transfer", """'pay/it'"'"'s; rm'"""
    )


def test_the_command_names_any_other_action():
    """What is allowed is not what was denied."""
    what = Offer("resource.read", connection(), "file:///a", "file:///a", "resource:files/a")
    told = advised(policy_set(), what, role="operator", auth_method="login")
    assert told["allow"].endswith("--tool resource:files/a --env prod --action resource.read")


def test_where_a_rule_denies_no_command_is_given():
    """Somebody allows it again and again, and it stays denied."""
    policies = policy_set(rule("allow"), rule("deny"))
    told = advised(policies, role="owner", auth_method="login")
    assert set(told) == {"denied_by"}
    assert told["denied_by"]["policy_version"] == 3


@pytest.mark.parametrize(
    "facts", [{}, {"role": "owner", "auth_method": "oauth"}, {"auth_method": "login"}]
)
def test_an_agent_is_told_nothing_of_policies(facts):
    """An agent learns which rules there are, and how to ask a person for more."""
    assert advised(policy_set(), **facts) == {}
    assert advised(policy_set(rule("deny")), **facts) == {}


def test_where_a_fact_closes_the_door_nothing_is_advised():
    """Somebody allows what is disabled, and wonders."""
    off = tool(enabled=False)
    assert advised(policy_set(), off, role="owner", auth_method="login") == {}
