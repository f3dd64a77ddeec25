"""Who guesses passwords without a pause takes nothing from the calls of others."""

import asyncio
import json
import secrets
import time
from contextlib import suppress

import pytest

from agentxsuite.control.problems import Throttled
from agentxsuite.control.tenancy import tries
from agentxsuite.project.knocking import MOST, Knocking

LOGIN = "/api/v1/auth/login/"
WHOLE = {"type": "http.request", "body": b"", "more_body": False}


class Inside:
    """Answers whoever is let in once it is opened, and knows how many are in."""

    def __init__(self):
        self.opened, self.crowded = asyncio.Event(), asyncio.Event()
        self.inside = self.let_in = 0

    async def __call__(self, scope, receive, send):
        await receive()
        self.inside, self.let_in = self.inside + 1, self.let_in + 1
        if self.inside == MOST:
            self.crowded.set()
        await self.opened.wait()
        self.inside -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def knock(doors, address, path=LOGIN, method="POST"):
    """The status, the headers and the body of an answer."""
    sent = []

    async def receive():
        return WHOLE

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method}
    await doors({**scope, "client": (address, 1) if address else None}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.fixture
async def inside():
    return Inside()


@pytest.fixture
def guesser(settings):
    """An address that had all its tries."""
    settings.REDIS_URL = ""
    address = "198.51.100.91"
    while not tries.seconds_to_wait(address):
        with suppress(Throttled):
            tries.take_a_try(address, f"{secrets.token_hex(8)}@acme.example")
    return address


async def test_who_had_all_tries_is_refused_before_the_door(guesser, inside):
    """Otherwise: a flood of guesses costs as much as a flood of logins."""
    inside.opened.set()
    doors = Knocking(inside)
    status, headers, body = await knock(doors, guesser)
    told = json.loads(body)
    assert (status, told["code"], inside.let_in) == (429, "rate_limited", 0)
    assert int(headers[b"retry-after"]) >= 1
    assert headers[b"content-type"] == b"application/problem+json"
    assert int(headers[b"content-length"]) == len(body)
    assert (await knock(doors, "198.51.100.92"))[0] == 200
    assert (await knock(doors, guesser, "/api/v1/auth/me/"))[0] == 200
    assert (await knock(doors, guesser, method="OPTIONS"))[0] == 200
    assert (await knock(doors, None))[0] == 200


async def test_who_waited_may_try_again(guesser, inside, monkeypatch):
    """Otherwise: one who mistyped stays outside for good."""
    inside.opened.set()
    monkeypatch.setitem(tries._waiting, guesser, time.monotonic() - 0.01)
    assert tries.seconds_to_wait(guesser) == 0
    assert (await knock(Knocking(inside), guesser))[0] == 200


async def test_few_are_let_in_at_a_time(inside):
    """Otherwise: the first moment of a flood takes every thread from everybody else."""
    doors = Knocking(inside)
    crowd = [asyncio.ensure_future(knock(doors, f"203.0.113.{n}")) for n in range(3 * MOST)]
    await inside.crowded.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert inside.inside == MOST
    inside.opened.set()
    assert [status for status, *_ in await asyncio.gather(*crowd)] == [200] * 3 * MOST


def test_no_crowd_of_addresses_fills_the_memory(monkeypatch):
    """Otherwise: guesses from a million addresses end the process."""
    monkeypatch.setattr(tries, "REMEMBERED", 3)
    monkeypatch.setattr(tries, "_waiting", {})
    for number in range(10):
        tries._wait(f"192.0.2.{number}", 9)
    assert 0 < len(tries._waiting) <= 3
    assert tries.seconds_to_wait("192.0.2.9") > 8
