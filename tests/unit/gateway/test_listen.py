"""One client's stream, and what it takes for a change."""

import asyncio
from dataclasses import replace

from msgspec import structs

from agentxsuite.engines.tokens import AgentClaims, KeyRing, Verifier, issue
from agentxsuite.gateway.gate import Facts
from agentxsuite.gateway.jsonrpc import Message
from agentxsuite.gateway.listens import Listens
from agentxsuite.gateway.mcp.exchange import Address, Exchange
from agentxsuite.gateway.mcp.listed import Listed
from agentxsuite.gateway.mcp.listen import Listening
from agentxsuite.gateway.refusals import Unavailable
from tests.unit.gateway.building import (
    AGENT,
    ENVIRONMENT,
    NOON,
    ORGANIZATION,
    agent,
    call,
    policy_set,
    principal,
    rule,
    snapshot,
    tool,
)
from tests.unit.gateway.shelf import gate
from tests.unit.gateway.test_http import asked
from tests.unit.gateway.test_sse import Reader

WANTED = ("toolsListChanged",)
ALLOWED = policy_set(rule("allow"))


class Directory:
    """Away for as often as it is told, and then without the token."""

    def __init__(self, away):
        self.away = away

    async def ask(self, question):
        self.away -= 1
        if self.away >= 0:
            raise Unavailable("directory_unavailable", "Later.")
        return Facts(snapshot(ALLOWED, tool()), token_live=False, user=None)


def token(ring):
    here, moment = f"https://here.example/mcp/{ORGANIZATION}/{ENVIRONMENT}/", int(NOON.timestamp())
    claims = AgentClaims(
        issuer="https://here.example",
        subject=AGENT,
        audience=here,
        expires_at=moment + 60,
        not_before=moment,
        issued_at=moment,
        jti="one",
        organization=ORGANIZATION,
        environment=ENVIRONMENT,
        agent=AGENT,
        scopes=frozenset({"tool.invoke"}),
    )
    return issue(claims, ring)


def exchange(directory):
    ring = KeyRing.generate()
    here = replace(
        gate(),
        verifier=Verifier(ring, "https://here.example"),
        directory=directory,
        listens=Listens(seconds=0.001),
    )
    asking = call(door="mcp", credential=f"Bearer {token(ring)}", agent=None)
    message = Message(7, "subscriptions/listen", {})
    address = Address(ORGANIZATION, ENVIRONMENT, None)
    return Exchange(asked(), address, here, message, True, asking)  # noqa: FBT003  the current era


async def test_a_database_that_is_away_for_a_moment_ends_no_stream():
    """Otherwise: a restart of the database hangs up on every client at once."""
    directory, reader = Directory(away=3), Reader()
    talk = exchange(directory)

    async def stays():
        await asyncio.Event().wait()

    request = structs.replace(talk.request, receive=stays)
    await Listening(talk, principal(ALLOWED), WANTED).deliver(request, reader)
    assert directory.away == -1
    assert [message.get("id") for message in reader.messages] == [None, 7]


def changes(listed, principal):
    return list(listed.changes(principal, call()))


def test_only_another_list_is_a_change():
    """Otherwise: clients ask for their tools at every edit of anything."""
    before = principal(ALLOWED)
    listed = Listed(WANTED, before, call())
    assert changes(listed, before) == []
    same = structs.replace(before, snapshot=snapshot(policy_set(rule("allow")), tool()))
    assert changes(listed, same) == []
    other = structs.replace(before, snapshot=snapshot(ALLOWED, tool(version="2")))
    assert changes(listed, other) == ["notifications/tools/list_changed"]
    assert changes(listed, other) == []
    stopped = structs.replace(other, agent=agent(enabled=False))
    assert changes(listed, stopped) == ["notifications/tools/list_changed"]


def test_what_nobody_asked_for_is_not_told():
    """Otherwise: clients get what the protocol forbids."""
    listed = Listed((), principal(ALLOWED), call())
    assert changes(listed, principal(policy_set())) == []


def test_a_list_that_cannot_be_made_is_looked_at_again():
    """Otherwise: a moment of trouble hides a change for ever."""
    before = principal(ALLOWED)
    listed = Listed(WANTED, before, call())
    broken = structs.replace(before, snapshot=snapshot(None, tool()))
    assert changes(listed, broken) == []
    denied = structs.replace(before, snapshot=snapshot(policy_set(), tool()))
    assert changes(listed, denied) == ["notifications/tools/list_changed"]
