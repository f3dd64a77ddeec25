"""A crowd before the management plane: some wait, and nobody takes everything."""

import asyncio
import json

import pytest

from agentxsuite.control.problems import TooManyWaiting
from agentxsuite.control.rest.elsewhere import PLACE
from agentxsuite.project.places import MOST_AWAY, Places

WHOLE = {"type": "http.request", "body": b"", "more_body": False}
PART = {"type": "http.request", "body": b"{", "more_body": True}
GONE = {"type": "http.disconnect"}


class Room:
    """Reads a request as Django does, and holds its answer until `opened`."""

    def __init__(self):
        self.opened, self.entered = asyncio.Event(), asyncio.Queue()
        self.most = self.inside = 0

    async def __call__(self, scope, receive, send):
        while (message := await receive())["type"] != "http.disconnect":
            if not message["more_body"]:
                return await self.answer(send)
        return None

    async def answer(self, send):
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.put_nowait(None)
        await self.opened.wait()
        self.inside -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Away(Room):
    """Has to ask elsewhere before it answers, which takes until `back`."""

    def __init__(self):
        super().__init__()
        self.back, self.left, self.refused = asyncio.Event(), asyncio.Queue(), 0

    async def __call__(self, scope, receive, send):
        await receive()
        try:
            async with scope[PLACE].given_back():
                self.left.put_nowait(None)
                await self.back.wait()
        except TooManyWaiting:
            self.refused += 1
        await self.answer(send)


class Caller:
    """A caller who says something, and is then silent."""

    def __init__(self, places, *said):
        self.said, self.told = asyncio.Queue(), []
        for message in said:
            self.said.put_nowait(message)
        self.task = asyncio.create_task(places({"type": "http"}, self.said.get, self.hear))

    async def hear(self, message):
        self.told.append(message)

    @property
    async def status(self):
        await self.task
        return self.told[0]["status"] if self.told else None


@pytest.fixture
async def room():
    return Room()


async def test_all_are_answered_but_not_at_once(room):
    """A crowd takes every connection of the database."""
    places = Places(room, most=2)
    callers = [Caller(places, WHOLE) for _ in range(7)]
    for _ in range(2):
        await room.entered.get()
    room.opened.set()
    assert [await caller.status for caller in callers] == [200] * 7
    assert room.most == 2


async def test_nobody_waits_without_end(room):
    """Callers hang, and learn nothing, while the management plane is full."""
    places = Places(room, most=1, wait=0.01)
    first = Caller(places, WHOLE)
    await room.entered.get()
    second = Caller(places, WHOLE)
    assert await second.status == 503
    assert int(dict(second.told[0]["headers"])[b"retry-after"]) > 0
    assert json.loads(second.told[1]["body"])["code"] == "too_crowded"
    room.opened.set()
    assert await first.status == 200
    assert await Caller(places, WHOLE).status == 200


async def test_who_says_half_of_it_holds_no_place(room):
    """A few callers who never finish their request lock everybody out."""
    places = Places(room, most=1)
    room.opened.set()
    slow = Caller(places, PART)
    assert await Caller(places, WHOLE).status == 200
    slow.said.put_nowait(WHOLE)
    assert await slow.status == 200


async def test_who_leaves_early_costs_nothing(room):
    """Every caller who hangs up takes a place with him, until none is left."""
    places = Places(room, most=1)
    room.opened.set()
    assert await Caller(places, PART, GONE).status is None
    assert await Caller(places, WHOLE).status == 200


async def test_who_waits_elsewhere_holds_no_place():
    """A few slow servers of one company, and nobody can log in any more."""
    away = Away()
    away.opened.set()
    places = Places(away, most=2)
    callers = [Caller(places, WHOLE) for _ in range(7)]
    for _ in callers:
        await away.left.get()
    away.back.set()
    assert [await caller.status for caller in callers] == [200] * 7
    assert away.most == 1  # each had a place again


async def test_not_everybody_can_wait_elsewhere():
    """Whoever owns a slow server takes all threads of the process."""
    away = Away()
    away.opened.set()
    places = Places(away, most=2)
    callers = [Caller(places, WHOLE) for _ in range(MOST_AWAY)]
    for _ in callers:
        await away.left.get()
    assert await Caller(places, WHOLE).status == 200
    assert away.refused == 1
    away.back.set()
    assert {await caller.status for caller in callers} == {200}


async def test_who_is_cut_off_while_waiting_elsewhere_takes_no_place_along():
    """Every caller who gives up on a slow server takes a place with him."""
    away = Away()
    away.opened.set()
    places = Places(away, most=1)
    gone = Caller(places, WHOLE)
    await away.left.get()
    gone.task.cancel()
    await asyncio.wait([gone.task])
    away.back.set()
    assert await Caller(places, WHOLE).status == 200
