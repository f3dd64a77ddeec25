"""Who listens at this worker."""

import pytest

from agentxsuite.gateway.asgi import Gateway
from agentxsuite.gateway.hosts import Hosts
from agentxsuite.gateway.listens import Listens
from agentxsuite.gateway.refusals import Throttled


def test_there_is_room_for_so_many_and_of_one_for_so_many(monkeypatch):
    """Otherwise: open streams take all the memory, or one client's those of all."""
    monkeypatch.setattr(Listens, "most", 2)
    monkeypatch.setattr(Listens, "most_each", 1)
    listens = Listens()
    listens.check("agent:1")
    with listens.held("agent:1"):
        with pytest.raises(Throttled, match="close a stream first"):
            listens.check("agent:1")
        listens.check("agent:2")
        with listens.held("agent:2"), pytest.raises(Throttled, match="Too many"):
            listens.check("agent:3")
    listens.check("agent:1")


def test_nothing_stays_behind_of_those_who_left():
    """Otherwise: the memory grows with everybody who ever listened."""
    listens = Listens()
    counted = listens._open
    with listens.held("agent:1"), listens.held("agent:1"):
        assert counted["agent:1"] == 2
    listens.check("agent:2")
    assert not dict(counted)


async def test_streams_are_told_to_end():
    """Otherwise: a server that stops waits for clients that never leave."""
    listens = Listens(seconds=0.001)
    assert not listens.ending
    listens.end()
    await listens.beat()
    assert listens.ending


def test_a_gateway_that_does_not_run_has_nobody_to_tell():
    """Otherwise: a server that is stopped while it starts ends with an error."""
    gateway = Gateway(Hosts(()))
    gateway.end_streams()
    assert gateway._gate is None
