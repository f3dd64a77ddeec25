"""What people lend is shown for themselves alone, and let go for themselves alone."""

import time
from dataclasses import replace

from agentxsuite.engines.upstream import Client, Egress, Lent, Upstreams, lent_by
from agentxsuite.engines.upstream.purse import Purse
from tests.servers.mcp_raw import stateless

OPEN = Egress(["127.0.0.1"])


def client(url, account):
    return Client("us", "", url, account=account)


async def test_what_a_person_lent_is_asked_of_its_owner(serve):
    """Otherwise: a token that was not taken is shown again, or another person's is."""
    asked = []

    async def renew(_egress, client, spoilt):
        asked.append((client.account, spoilt))
        return Lent(f"{client.account}-{len(asked)}", 2000.0)

    purse = Purse(OPEN, lambda: 1000.0, renew)
    alice, bob = (client("https://x.example", name) for name in ("alice", "bob"))
    assert await purse.token(alice) == "alice-1"
    assert await purse.token(bob) == "bob-2"
    purse.spoil(alice, "alice-1")
    assert await purse.token(alice) == "alice-3"
    assert await purse.token(bob) == "bob-2"
    assert asked == [("alice", ""), ("bob", ""), ("alice", "alice-1")]


async def test_one_persons_conversation_is_let_go_alone(serve, at):
    """Otherwise: one who disconnects ends the calls of all others, or leaves a socket behind."""

    async def renew(_egress, client, _spoilt):
        return Lent(client.account, time.time() + 60)

    server = await serve(stateless(lambda asked: asked.result({"content": []})))
    people = [
        replace(at(server), id=lent_by("connection", name), client=client("", name))
        for name in ("alice", "bob", "carol")
    ]
    async with Upstreams(OPEN, renew=renew) as upstreams:
        for person in people:
            await upstreams.call_tool(person, "t", {}, timeout=5)
            assert server.asked[-1].headers["authorization"] == f"Bearer {person.client.account}"
        await upstreams.forget(people[0].id)
        assert list(upstreams._peers) == [people[1].id, people[2].id]
        await upstreams.forget("connection")
        assert not upstreams._peers
