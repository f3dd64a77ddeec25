"""One client's stream, and what it takes for a change."""

import asyncio
from dataclasses import replace

from msgspec import structs

from agentxsuite.engines.tokens import AgentClaims, KeyRing, Verifier, issue
from agentxsuite.gateway.gate import Facts
from agentxsuite.gateway.jsonrpc import Message
from agentxsuite.gateway.listens import Listens
from agentxsuite.gateway.mcp.exchange import Address, Exchange
from agentxsuite.gateway.mcp.listed import KINDS
from agentxsuite.gateway.mcp.listen import Listening
from agentxsuite.gateway.refusals import Unavailable
from tests.unit.gateway.building import (
    AGENT,
    CONNECTION,
    ENVIRONMENT,
    NOON,
    ORGANIZATION,
    call,
    connection,
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
ALLOWED = policy_set(replace(rule("allow", "*"), action="*"))


class Directory:
    """Away for as often as it is told, and then without the token."""

    def __init__(self, away):
        self.away = away

    async def ask(self, question):
        self.away -= 1
        if self.away >= 0:
            raise Unavailable("directory_unavailable", "Later.")
        return Facts(snapshot(ALLOWED, tool()), token_live=False, user=None)


class Flickering:
    """Allows and denies everything in turn, so often; then the token is gone, and `done` is set."""

    def __init__(self, times, done):
        self.left, self.done = times, done

    async def ask(self, question):
        self.left -= 1
        if self.left < 0:
            self.done.set()
        policies = ALLOWED if self.left % 2 else policy_set()
        placed = replace(snapshot(policies, tool()), connections={CONNECTION: connection()})
        return Facts(placed, token_live=self.left >= 0, user=None)


class Upstream:
    """Is there."""

    async def attend(self, endpoint, **terms):
        """It says nothing."""


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
        scopes=frozenset({"tool.*", "prompt.*", "resource.*"}),
    )
    return issue(claims, ring)


def exchange(directory):
    ring = KeyRing.generate()
    here = replace(
        gate(),
        verifier=Verifier(ring, "https://here.example"),
        directory=directory,
        upstream=Upstream(),
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

    await Listening(talk, principal(ALLOWED), WANTED).deliver(staying(talk), reader)
    assert directory.away == -1
    assert [message.get("id") for message in reader.messages] == [None, 7]


async def test_what_waits_for_a_client_that_does_not_read_is_one_notice_of_each_kind():
    """Otherwise: who listens and does not read fills the memory with every change."""
    reader, over = Reader(), asyncio.Event()
    talk = exchange(Flickering(200, over))
    reader.reading.clear()
    listening = Listening(talk, principal(ALLOWED), tuple(KINDS))
    delivery = asyncio.create_task(listening.deliver(staying(talk), reader))
    await over.wait()
    reader.reading.set()
    await delivery
    first, *notices, last = reader.messages
    assert first["method"] == "notifications/subscriptions/acknowledged"
    assert sorted(each["method"] for each in notices) == sorted(
        kind.method for kind in KINDS.values()
    )
    assert last["id"] == 7


def staying(talk):
    """The request of a client that does not leave."""

    async def stays():
        await asyncio.Event().wait()

    return structs.replace(talk.request, receive=stays)
