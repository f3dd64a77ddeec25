"""Servers are listened to while a client listens here."""

import asyncio
from dataclasses import replace

from agentxsuite.engines.upstream import NOTICES, UpstreamUnavailable
from agentxsuite.gateway.attending import attend
from agentxsuite.gateway.ears import AGAIN_SECONDS, Ears
from tests.unit.gateway.building import connection
from tests.unit.gateway.shelf import Clock, gate

HERE = connection()
PROMPTS = "notifications/prompts/list_changed"


class Upstream:
    """Counts how often it is asked; may be away, or slow."""

    def __init__(self):
        self.asked, self.away, self.free = [], False, asyncio.Event()
        self.free.set()

    async def attend(self, endpoint, *, timeout):  # noqa: ASYNC109  -- as the Protocol has it
        self.asked.append(endpoint)
        await self.free.wait()
        if self.away:
            raise UpstreamUnavailable("away")


class Desk:
    """A gate, its clock and its upstream."""

    def __init__(self):
        self.clock, self.upstream = Clock(), Upstream()
        self.gate = replace(gate(), upstream=self.upstream, ears=Ears(self.clock))

    async def attend(self, *connections):
        attend(connections, self.gate)
        if self.gate.ears.asking:
            await asyncio.wait(self.gate.ears.asking)


async def test_a_server_is_asked_once_a_minute_for_all_who_listen():
    """Otherwise: every client that listens costs its servers as much as the first."""
    desk = Desk()
    for after, asked in ((0, 1), (AGAIN_SECONDS - 1, 1), (1, 2)):
        desk.clock.now += after
        for _ in range(3):
            await desk.attend(HERE)
        assert desk.upstream.asked == [HERE.endpoint] * asked
    assert desk.gate.vigil.used == {HERE.id: HERE}


async def test_a_server_without_its_credential_is_not_asked():
    """Otherwise: it would be asked as somebody else, or as nobody."""
    desk = Desk()
    await desk.attend(replace(HERE, endpoint=None))
    assert desk.upstream.asked == []


async def test_of_a_server_that_comes_back_everything_may_be_new():
    """Otherwise: what a server offers that was down at first is never found."""
    desk = Desk()
    ears = desk.gate.ears
    for away, heard in ((False, 0), (True, 0), (False, 1), (False, 1)):
        desk.upstream.away = away
        await desk.attend(HERE)
        desk.clock.now += AGAIN_SECONDS
        assert ears.heard == heard * len(NOTICES)
        assert ears.said(HERE.id, PROMPTS) == heard
        desk.gate.vigil.used.clear()  # nobody looks at its tools here


async def test_nothing_is_kept_of_what_has_gone():
    """Otherwise: the memory grows with every connection that ever was."""
    desk = Desk()
    desk.upstream.away = True
    await desk.attend(HERE)
    ears = desk.gate.ears
    ears.note(HERE.id, PROMPTS)
    ears.forget(HERE)
    assert (ears.said(HERE.id, PROMPTS), ears.silent, dict(ears._said)) == (0, set(), {})
    desk.upstream.away = False
    await desk.attend(HERE)
    assert len(desk.upstream.asked) == 2


async def test_nobody_is_asked_after_the_end():
    """Otherwise: a server that stops waits for the slowest of its upstreams."""
    desk = Desk()
    await desk.gate.ears.close()
    desk.upstream.free.clear()
    attend([HERE], desk.gate)
    (asking,) = desk.gate.ears.asking
    await asyncio.sleep(0)
    await desk.gate.ears.close()
    assert asking.cancelled()
