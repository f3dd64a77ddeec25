"""What servers said they offer, kept for a little while."""

import asyncio
from dataclasses import replace

import pytest

from agentxsuite.engines.upstream import Endpoint, UpstreamUnavailable, lent_by
from agentxsuite.gateway import offers
from agentxsuite.gateway.offers import FRESH_SECONDS, NEW_SECONDS, SPARED_SECONDS, Offers

HERE, THERE = Endpoint("1", "https://here.example"), Endpoint("1", "https://there.example")


class Server:
    """Counts how often it is asked; may fail, or wait until it is ``free``."""

    def __init__(self):
        self.asked, self.error, self.free = 0, None, asyncio.Event()
        self.free.set()

    async def ask(self):
        self.asked += 1
        await self.free.wait()
        if self.error:
            raise self.error
        return [self.asked]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def held(clock):
    return Offers(clock)


async def test_an_answer_is_good_for_a_while(held, clock):
    """Otherwise: every list would cost a request, or never change."""
    server = Server()
    for after, wanted in ((0, [1]), (FRESH_SECONDS - 1, [1]), (FRESH_SECONDS, [2])):
        clock.now = after
        assert await held.get(HERE, "x", server.ask) == wanted
    assert await held.get(HERE, "x", server.ask, anew=True) == [2]
    clock.now += NEW_SECONDS
    assert await held.get(HERE, "x", server.ask, anew=True) == [3]


async def test_another_server_under_the_same_id_is_asked_itself(held):
    """Otherwise: a connection that moved would offer what its old server had."""
    server = Server()
    assert await held.get(HERE, "x", server.ask) == [1]
    assert await held.get(THERE, "x", server.ask) == [2]
    assert await held.get(THERE, "y", server.ask) == [3]
    held.forget("1")
    assert await held.get(THERE, "x", server.ask) == [4]


async def test_what_one_person_was_told_goes_with_their_connection(held):
    """Otherwise: people would be shown what their server has long said anew."""
    server, mine = Server(), replace(HERE, id=lent_by("1", "alice"))
    assert await held.get(mine, "x", server.ask) == [1]
    held.forget("1")
    assert await held.get(mine, "x", server.ask) == [2]
    held.forget(lent_by("1", "bob"))
    assert await held.get(mine, "x", server.ask) == [2]
    held.forget(mine.id)
    assert await held.get(mine, "x", server.ask) == [3]


async def test_a_server_that_fails_is_spared_for_a_moment(held, clock):
    """Otherwise: one that is down would slow every list."""
    server = Server()
    server.error = UpstreamUnavailable("gone")
    for after, asked in ((0, 1), (SPARED_SECONDS - 1, 1), (SPARED_SECONDS, 2)):
        clock.now = after
        with pytest.raises(UpstreamUnavailable):
            await held.get(HERE, "x", server.ask)
        assert server.asked == asked


async def test_one_question_serves_all_and_outlives_them(held):
    """Otherwise: a crowd would ask a slow server as often as there are people in it."""
    server = Server()
    server.free.clear()
    waiting = [asyncio.create_task(held.get(HERE, "x", server.ask)) for _ in range(3)]
    moved = asyncio.create_task(held.get(THERE, "x", server.ask))
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    server.free.set()
    assert await asyncio.gather(*waiting[1:]) == [[2], [2]]
    assert await moved == [2]
    assert server.asked == 2


async def test_what_was_held_for_longest_goes_first(held, monkeypatch):
    """Otherwise: servers with long lists would fill the memory."""
    monkeypatch.setattr(offers, "HELD_BYTES", 3 * offers.FLOOR_BYTES)
    server = Server()
    for what in "abc":
        await held.get(HERE, what, server.ask)
    assert await held.get(HERE, "c", server.ask) == [3]
    assert await held.get(HERE, "a", server.ask) == [4]


async def test_an_answer_that_was_asked_for_before_a_change_is_not_kept(held):
    """Otherwise: who hears that a list has changed, and asks for it, gets the old one."""
    server = Server()
    server.free.clear()
    early = asyncio.create_task(held.get(HERE, "x", server.ask))
    await asyncio.sleep(0)
    held.forget("2")
    held.forget(HERE.id)
    late = asyncio.create_task(held.get(HERE, "x", server.ask))
    await asyncio.sleep(0)
    server.free.set()
    await asyncio.wait([early, late])
    assert server.asked == 2
    await held.get(HERE, "x", server.ask)
    assert server.asked == 2
