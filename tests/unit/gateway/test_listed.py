"""What a client may list, and what it takes for a change."""

from dataclasses import replace

import pytest
from msgspec import structs

from agentxsuite.engines.upstream import Endpoint
from agentxsuite.gateway.facts import Connection
from agentxsuite.gateway.mcp.listed import KINDS, Listed, honoured
from tests.unit.gateway.building import (
    agent,
    call,
    connection,
    policy_set,
    principal,
    rule,
    snapshot,
    tool,
)
from tests.unit.gateway.shelf import gate

TOOLS, PROMPTS, RESOURCES = KINDS
TOLD = {word: kind.method for word, kind in KINDS.items()}
ALLOWED = policy_set(rule("allow"))
OTHER = Connection("c2", "mail", enabled=True, endpoint=Endpoint("c2", "https://mail.example/mcp"))


def use(action, target, effect="allow"):
    return replace(rule(effect, target), action=action)


GET, READ = use("prompt.get", "prompt:pay/**"), use("resource.read", "resource:pay/**")
SERVERS = {each.id: each for each in (connection(), OTHER)}


def facing(*rules, servers=SERVERS, **facts):
    """Who faces two servers under some rules."""
    placed = replace(snapshot(policy_set(*rules), tool()), connections=servers)
    return principal(None, **{"snapshot": placed, **facts})


class Desk:
    """One who listens."""

    def __init__(self, before, *wanted, door=None):
        self.gate = door or gate()
        self.listed = Listed(wanted or tuple(KINDS), before, call(), self.gate)

    def hears(self, now, **asked):
        return [] if self.listed.same(now) else list(self.listed.changes(now, call(**asked)))

    @property
    def servers(self):
        return sorted(each.slug for each in self.listed.servers.values())


def test_only_another_list_of_tools_is_a_change():
    """Otherwise: clients ask for their tools at every edit of anything."""
    before = principal(ALLOWED)
    desk = Desk(before)
    assert desk.hears(before) == []
    same = structs.replace(before, snapshot=snapshot(policy_set(rule("allow")), tool()))
    assert desk.hears(same) == []
    other = structs.replace(before, snapshot=snapshot(ALLOWED, tool(version="2")))
    assert desk.hears(other) == [TOLD[TOOLS]]
    assert desk.hears(other) == []
    later = snapshot(ALLOWED, tool(version="2"))
    stopped = structs.replace(other, snapshot=later, agent=agent(enabled=False))
    assert desk.hears(stopped) == [TOLD[TOOLS]]


def test_what_nobody_asked_for_is_not_told():
    """Otherwise: clients get what the protocol forbids."""
    desk = Desk(facing(rule("allow"), GET, READ), RESOURCES)
    assert desk.hears(facing()) == [TOLD[RESOURCES]]


def test_a_list_that_cannot_be_made_is_looked_at_again():
    """Otherwise: a moment of trouble hides a change for ever."""
    before = principal(ALLOWED)
    desk = Desk(before)
    broken = structs.replace(before, snapshot=snapshot(None, tool()))
    assert desk.hears(broken) == []
    assert not desk.listed.same(broken)
    denied = structs.replace(before, snapshot=snapshot(policy_set(), tool()))
    assert desk.hears(denied) == [TOLD[TOOLS]]
    from_the_start = Desk(broken)
    assert from_the_start.hears(before) == []
    assert from_the_start.hears(denied) == [TOLD[TOOLS]]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (use("prompt.get", "prompt:mail/**"), [PROMPTS]),
        (use("resource.read", "resource:pay/file/**", "deny"), [RESOURCES]),
        (use("*", "*", "deny"), [TOOLS, PROMPTS, RESOURCES]),
        (use("prompt.get", "prompt:elsewhere/**"), []),
        (use("resource.read", "resource:mail/**", "deny"), []),
        (use("prompt.get", "prompt:pay/**"), []),
    ],
)
def test_a_rule_is_told_to_those_whose_list_it_may_change(more, told):
    """Otherwise: an agent goes on with what it may no longer use, or everybody hears of all."""
    before = (rule("allow"), GET, READ)
    desk = Desk(facing(*before))
    assert desk.hears(facing(*before, more)) == [TOLD[word] for word in told]


def test_a_rule_about_another_server_is_not_told_at_the_address_of_one():
    """Otherwise: whoever uses one server hears of all."""
    placed = (GET, READ)
    desk = Desk(facing(*placed), PROMPTS)
    more = facing(*placed, use("prompt.get", "prompt:mail/**"))
    assert desk.hears(more, passthrough="pay") == []
    assert desk.servers == ["pay"]


def test_servers_that_come_go_and_move_are_told():
    """Otherwise: a client keeps what a switched-off server offered."""
    rules = (GET, use("prompt.get", "prompt:mail/**"))
    desk = Desk(facing(*rules), PROMPTS)
    pay = connection()
    assert desk.servers == ["mail", "pay"]
    for servers, told in (
        ({pay.id: pay, OTHER.id: replace(OTHER, each_call=True)}, []),
        ({pay.id: pay, OTHER.id: replace(OTHER, enabled=False)}, [TOLD[PROMPTS]]),
        ({pay.id: pay}, []),
        ({pay.id: pay, OTHER.id: OTHER}, [TOLD[PROMPTS]]),
        ({pay.id: pay, OTHER.id: replace(OTHER, endpoint=None)}, [TOLD[PROMPTS]]),
        ({pay.id: replace(pay, endpoint=Endpoint(pay.id, "https://new.example"))}, [TOLD[PROMPTS]]),
    ):
        assert desk.hears(facing(*rules, servers=servers)) == told


def test_what_a_server_says_is_told_to_those_who_may_use_it():
    """Otherwise: a client does not hear of new prompts, or hears of those of others."""
    who = facing(rule("allow"), GET, READ)
    desk = Desk(who)
    ears = desk.gate.ears
    ears.note("c2", TOLD[PROMPTS])
    assert desk.hears(who) == []
    ears.note(connection().id, TOLD[PROMPTS])
    assert desk.hears(who) == [TOLD[PROMPTS]]
    ears.note(connection().id, TOLD[TOOLS])  # the record of tools tells
    assert desk.hears(who) == []
    ears.note(connection().id, TOLD[RESOURCES])
    assert desk.hears(who) == [TOLD[RESOURCES]]
    assert desk.hears(who) == []


def test_what_was_before_is_not_kept():
    """Otherwise: every stream keeps the facts of the moment in which it began."""
    desk = Desk(facing(GET))
    placed = desk.listed._known.snapshot
    now = facing(GET, snapshot=replace(placed, revision=2))
    assert desk.hears(now) == []
    assert desk.listed._known is now


def test_a_right_that_a_token_loses_is_a_change():
    """Otherwise: a client keeps what its login does not reach any more."""
    before = facing(GET, READ, scopes=frozenset({"prompt.get", "resource.read"}))
    desk = Desk(before)
    assert desk.hears(structs.replace(before, scopes=frozenset({"resource.read"}))) == [
        TOLD[PROMPTS]
    ]


def test_what_a_token_is_not_good_for_is_not_acknowledged():
    """Otherwise: a client waits for what it never hears of."""
    who = facing(scopes=frozenset({"prompt.*"}))
    everything = dict.fromkeys(KINDS, True)
    assert honoured(everything, who) == (PROMPTS,)
    assert honoured({PROMPTS: "yes"}, who) == ()
    assert honoured({**everything, "resourceSubscriptions": ["x"]}, facing()) == tuple(KINDS)
