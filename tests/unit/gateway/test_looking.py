"""Looking at servers in use: what is begun once, what is not looked at, what is let go."""

import asyncio
from dataclasses import replace

import pytest

from agentxsuite.engines.upstream import RESOURCES, Endpoint, lent_by
from agentxsuite.gateway.gate import Facts
from agentxsuite.gateway.looking import begin_look, concerns, heed, look, tidy
from agentxsuite.gateway.offered import definitions, or_nothing
from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.vigil import Vigil
from tests.unit.gateway.building import CONNECTION, connection, policy_set, snapshot, tool
from tests.unit.gateway.shelf import gate

SHUT = connection(endpoint=None)  # its credential cannot be read


class Directory:
    """Knows one environment."""

    def __init__(self, *connections):
        facts = snapshot(policy_set())
        self.snapshot = replace(facts, connections={each.id: each for each in connections})

    async def ask(self, _question):
        return Facts(self.snapshot, token_live=True, user=None)


async def test_a_look_under_way_is_not_begun_again():
    """Otherwise: every call of a slow server would list it once more."""
    door = gate()
    under_way = door.vigil.looks[SHUT.id] = asyncio.create_task(asyncio.Event().wait())
    begin_look(SHUT, door)
    assert door.vigil.looks == {SHUT.id: under_way}
    await door.vigil.close()
    assert under_way.cancelled()


async def test_nobody_looking_is_closed_at_once():
    """Otherwise: a server that nobody used could not stop."""
    await Vigil().close()


async def test_a_server_without_its_credential_is_not_asked():
    """Otherwise: it would be asked as somebody else, or as nobody."""
    door = replace(gate(), directory=Directory(SHUT))  # whose upstream is None
    await look(SHUT, door)
    assert await or_nothing(SHUT, door, RESOURCES) is None
    with pytest.raises(Unavailable) as refused:
        await definitions(SHUT, door, RESOURCES)
    assert refused.value.code == "secret_unavailable"


class Upstream:
    """Notes what it lets go of."""

    def __init__(self):
        self.gone = []

    async def forget(self, endpoint_id):
        self.gone.append(endpoint_id)


def endpoint_of(person):
    return Endpoint(lent_by(CONNECTION, person), "https://pay.example/mcp")


def lent(*people):
    accounts = {person: endpoint_of(person) for person in people}
    return connection(endpoint=None, connect_at="https://door.example", accounts=accounts)


async def test_only_what_a_person_took_back_is_let_go():
    """Otherwise: what was lent is used to listen on, or the calls of all others end with it."""
    before, upstream = lent("alice", "bob"), Upstream()
    door = replace(gate(), directory=Directory(lent("bob")), upstream=upstream)
    for person in ("alice", "bob"):
        door.vigil.use(before.of(person))
    await tidy(door)
    assert upstream.gone == [lent_by(CONNECTION, "alice")]
    assert [each.person for each in door.vigil.used.values()] == ["bob"]


async def test_a_notice_makes_each_call_look_for_itself():
    """Otherwise: a server that says it has changed is called on as if it had not."""
    door, mine = gate(), tool(connection=lent("alice").of("alice"))
    assert [concerns(mine, door), concerns(mine, door)] == [False, False]
    heed("another", "notifications/tools/list_changed", door)
    assert not concerns(mine, door)
    heed(CONNECTION, "notifications/tools/list_changed", door)
    assert concerns(mine, door)
    assert not concerns(mine, door)
