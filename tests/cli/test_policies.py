"""Agents and policies by the command line."""

import json
from contextlib import closing

import jwt

from agentxsuite.cli.client import Api
from agentxsuite.cli.logins import Login


def test_an_agent_without_a_word_may_do_nothing(connected):
    """Otherwise: a new agent has rights that nobody gave it."""
    done = connected.ok("agents", "create", "Newcomer")
    assert "agentxsuite policies allow --agent newcomer" in done.out
    reach = connected.json("agents", "access", "newcomer")
    assert {each["effect"] for each in reach} == {"deny"}
    assert {each["agent"]["slug"] for each in reach} == {"newcomer"}
    assert "tests/add" in connected.ok("agents", "access", "Newcomer").out
    assert connected.json("agents", "access", "newcomer", "--effect", "allow") == []
    assert {each["slug"] for each in connected.json("agents", "list")} == {"clerk", "newcomer"}
    assert "newcomer" in connected.ok("agents", "list").out


def test_a_token_is_shown_once_and_lasts_as_long_as_told(connected):
    """Otherwise: a client cannot be given a token, or has it for ever."""
    issued = connected.json("agents", "token", "clerk", "--ttl", "2h", "--name", "laptop")
    claims = jwt.decode(issued["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 7200
    told = connected.ok("agents", "token", "clerk").out
    assert "/mcp/" in told
    assert told.splitlines()[-1].count(".") == 2
    assert connected("agents", "token", "clerk", "--ttl", "soon").status == 2
    assert connected("agents", "token", "clerk", "--ttl", "9d").status == 1


def test_an_allow_is_one_rule_for_one_agent(connected):
    """Otherwise: what is allowed to one agent is allowed to others, or piles up."""
    for name in ("One", "Two"):
        connected.ok("agents", "create", name)
    line = ("policies", "allow", "--agent", "one", "--tool", "tests/add")
    assert "wrote allow tool.invoke tool:tests/add" in connected.ok(*line).out
    assert "there already" in connected.ok(*line).out
    connected.ok("policies", "allow", "--agent", "one", "--tool", "tests/e*", "--env", "dev")
    connected.ok("call", "tests/add", "--agent", "one", "a=1", "b=2")
    assert connected("call", "tests/add", "--agent", "two", "a=1", "b=2").status == 1
    (policy,) = [
        each for each in connected.json("policies", "list") if each["name"] == "One in dev"
    ]
    assert [each["target"] for each in policy["rules"]] == ["tool:tests/add", "tool:tests/e*"]
    assert [each["scope_type"] for each in policy["bindings"]] == ["agent"]
    assert "tool:tests/add" in connected.ok("policies", "list").out


def test_a_deny_outweighs_every_allow(connected):
    """Otherwise: what was denied in a hurry goes on."""
    connected.ok("policies", "deny", "--agent", "clerk", "--tool", "tests/echo")
    assert "(explicit_deny)" in connected("call", "tests/echo", "text=x").err
    (tool,) = connected.json("tools", "list", "tests/add")
    connected.ok("policies", "deny", "--tool", tool["id"], "--message", "Not today.")
    assert "Not today." in connected("call", "tests/add", "a=1", "b=1").err


def test_a_tool_that_is_not_there_yet_is_told(connected):
    """Otherwise: a typing error in a rule is found out when a call is refused."""
    line = ("policies", "allow", "--agent", "clerk", "--tool", "tests/ad")
    assert "no tool 'tests/ad'" in connected.ok(*line).err


def test_other_actions_have_their_own_kinds_of_target(connected):
    """Otherwise: a rule about resources is written about tools, and never matches."""
    line = ("policies", "allow", "--agent", "clerk", "--action", "resource.read")
    done = connected.ok(*line, "--tool", "tests/**")
    assert "allow resource.read resource:tests/**" in done.out
    assert connected(*line, "--tool", "a//b").status == 1


def test_a_policy_of_that_name_for_others_is_left_alone(connected):
    """Otherwise: an allow for one agent lands in a policy that binds everybody."""
    connected.ok("agents", "create", "Third")
    connected.ok("agents", "create", "Everybody")
    connected.ok("policies", "allow", "--agent", "everybody", "--tool", "tests/add")
    names = [each["name"] for each in connected.json("policies", "list")]
    assert names.count("Everybody in dev") == 1
    assert any(name.startswith("Everybody in dev (") for name in names)
    assert connected("call", "tests/add", "--agent", "third", "a=1", "b=1").status == 1


def test_a_question_is_answered_by_what_decides(connected):
    """Otherwise: a trial and the call that follows do not agree."""
    line = ("policies", "evaluate", "--agent", "clerk", "--tool")
    yes = connected("policies", "evaluate", "--tool", "tests/add", "a=1", "b=2")
    assert yes.status == 0
    assert "allow" in yes.out
    no = connected(*line, "tests/slow")
    assert no.status == 1
    assert "Nobody has the time." in no.out
    told = connected(*line, "tests/slow", "--json")
    assert {"allowed", "effect", "reason", "determining", "refusal"} <= set(told.json)
    assert connected(*line, "tests/*").status == 2


def test_a_question_names_the_rules_that_nearly_matched(connected):
    """Otherwise: nobody finds out which number would have been small enough."""
    policies = connected.json("policies", "list")
    (mine,) = [each for each in policies if each["name"] == "Clerk in dev"]
    condition = {"path": "input.a", "op": "lte", "value": 5}
    rule = {"effect": "allow", "action": "tool.invoke", "conditions": condition}
    login = Login(**json.loads(connected.logins.read_text())["logins"][0])
    with closing(Api(login.server, login.token)) as api:
        body = {"rules": [{**rule, "target": "tool:tests/add", "name": "small sums"}]}
        api.patch(f"orgs/{login.organization}/policies/{mine['id']}/", body)
    line = ("policies", "evaluate", "--tool", "tests/add")
    assert connected(*line, "a=5", "b=1").status == 0
    over = connected(*line, "a=6", "b=1")
    assert over.status == 1
    assert "near miss: allow small sums in 'Clerk in dev': input.a lte 5" in over.out


def test_everything_for_everybody_has_to_be_meant(connected):
    """Otherwise: one character opens everything."""
    line = ("policies", "allow", "--agent", "clerk", "--tool", "*", "--acknowledge-broad")
    assert "tool:*" in connected.ok(*line).out
