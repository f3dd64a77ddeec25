"""Looking at servers in use: what is begun once, what is not looked at, what is let go."""

import asyncio
from dataclasses import replace

import pytest

from agentxsuite.engines.upstream import RESOURCES
from agentxsuite.gateway.gate import Facts
from agentxsuite.gateway.looking import begin_look, look
from agentxsuite.gateway.offered import definitions, or_nothing
from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.vigil import Vigil
from tests.unit.gateway.building import connection, policy_set, snapshot
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
