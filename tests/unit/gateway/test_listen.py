"""One client's stream, and what it takes for a change."""

import asyncio
from dataclasses import replace

from msgspec import structs

from agentxsuite.engines.tokens import AgentClaims, KeyRing, Verifier, issue
from agentxsuite.gateway.gate import Facts
from agentxsuite.gateway.jsonrpc import Message
from agentxsuite.gateway.listens import Listens
from agentxsuite.gateway.mcp.exchange import Address, Exchange
from agentxsuite.gateway.mcp.listen import Listening
from agentxsuite.gateway.refusals import Unavailable
from tests.unit.gateway.building import (
    AGENT,
    ENVIRONMENT,
    NOON,
    ORGANIZATION,
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
