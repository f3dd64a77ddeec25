"""Loads of snapshots: one serves all who wait, organizations take turns, and few are held."""

import asyncio
import gc
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace

import pytest
from django.db import OperationalError, connection

from agentxsuite.gateway.asgi import open_directory
from agentxsuite.gateway.gate import Question
from agentxsuite.gateway.orm import FreshDirectory
from agentxsuite.gateway.orm.reading import Reading
from agentxsuite.gateway.refusals import Unavailable
from tests.unit.gateway import building

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


class Steady:
    """A reader of a database that is always at its second revision."""

    async def read(self, question):
        return Reading(2, token_live=True, user=None)

    async def aclose(self):
        """Nothing is held."""


async def test_a_load_that_fails_closes_the_door_for_once():
    """One failed load, and a worker never reads an environment again."""
    made = building.snapshot(None)
    loads = iter([OperationalError("gone"), replace(made, revision=1), replace(made, revision=2)])

    def load(*_):
        if isinstance(loaded := next(loads), Exception):
            raise loaded
        return loaded

    async with aclosing(FreshDirectory(Steady(), load, [ThreadPoolExecutor(1)])) as directory:
        with pytest.raises(Unavailable):
            await directory.ask(Question("o", environment="e"))
        # the first that succeeds had begun too early for this question
        assert (await directory.ask(Question("o", environment="e"))).snapshot.revision == 2


class AtOnce(Executor):
    """Does the work before anybody can look, so that a test says what comes when."""

    def submit(self, work, /, *args):
        done = Future()
        done.set_result(work(*args))
        return done


async def test_a_load_that_ends_as_somebody_asks_is_no_circle():
    """The worker would stand still for ever: nobody would be answered any more."""
    loads = iter([1, 2, 2])

    def load(*_):
        return replace(building.snapshot(None), revision=next(loads))

    async def ask(turns):
        for _ in range(turns):
            await asyncio.sleep(0)  # the loop goes once around
        return await directory.ask(Question("o", environment="e"))

    async with aclosing(FreshDirectory(Steady(), load, [AtOnce()])) as directory:
        answers = await asyncio.gather(*(ask(turns) for turns in range(4)))
    assert {answer.snapshot.revision for answer in answers} == {2}


async def test_a_load_that_takes_too_long_closes_the_door_but_is_not_lost(monkeypatch):
    """Calls pile up behind a database that stopped answering in the middle."""
    monkeypatch.setattr("agentxsuite.gateway.orm.directory.LOAD_SECONDS", 0.05)
    going_on = threading.Event()

    def load(*_):
        going_on.wait(10)
        return replace(building.snapshot(None), revision=2)

    async with aclosing(FreshDirectory(Steady(), load, [ThreadPoolExecutor(1)])) as directory:
        with pytest.raises(Unavailable):
            await directory.ask(Question("o", environment="e"))
        going_on.set()
        monkeypatch.setattr("agentxsuite.gateway.orm.directory.LOAD_SECONDS", 10)
        assert (await directory.ask(Question("o", environment="e"))).snapshot is not None


class Gated:
    """Loads that tell which began, in order, and that wait until let go on."""

    def __init__(self):
        self.begun = []
        self.go_on = threading.Event()
        self._arrivals = threading.Semaphore(0)

    def __call__(self, organization, environment, _previous):
        self.begun.append((organization, environment))
        self._arrivals.release()
        assert self.go_on.wait(10)
        return replace(building.snapshot(None), revision=2)

    async def arrived(self):
        """Wait until one more has begun."""
        assert await asyncio.to_thread(self._arrivals.acquire, timeout=10)


def asked(directory, organization, *environments):
    return [
        asyncio.create_task(directory.ask(Question(organization, environment=environment)))
        for environment in environments
    ]


async def test_nobody_waits_for_all_environments_of_a_neighbour():
    """One person who calls each of an organization's environments holds up everybody else."""
    load = Gated()
    threads = [ThreadPoolExecutor(1) for _ in range(2)]
    async with aclosing(FreshDirectory(Steady(), load, threads)) as directory:
        tasks = asked(directory, "big", *map(str, range(50)))
        await load.arrived()
        tasks += asked(directory, "small", "0")
        await load.arrived()
        assert load.begun == [("big", "0"), ("small", "0")]
        load.go_on.set()
        await asyncio.gather(*tasks)


async def test_organizations_take_turns():
    """With all threads busy, the organization that asks for most is served before all others."""
    load = Gated()
    async with aclosing(FreshDirectory(Steady(), load, [ThreadPoolExecutor(1)])) as directory:
        tasks = asked(directory, "big", "0", "1", "2")
        await load.arrived()
        tasks += asked(directory, "small", "0", "1") + asked(directory, "other", "0")
        await asyncio.sleep(0)
        load.go_on.set()
        await asyncio.gather(*tasks)
    turns = [organization for organization, _ in load.begun]
    assert turns == ["big", "small", "other", "big", "small", "big"]


async def test_who_asks_for_the_same_shares_its_turn():
    """Each of a thousand calls reads the environment anew after a change."""
    load = Gated()
    threads = [ThreadPoolExecutor(1) for _ in range(2)]
    async with aclosing(FreshDirectory(Steady(), load, threads)) as directory:
        tasks = asked(directory, "o", "first", *["second"] * 20)
        await load.arrived()
        load.go_on.set()
        await asyncio.gather(*tasks)
    assert load.begun == [("o", "first"), ("o", "second")]


async def test_the_snapshots_unused_for_longest_go_first(monkeypatch):
    """Whoever calls every environment once fills the memory, until the worker is killed."""
    monkeypatch.setattr("agentxsuite.gateway.orm.directory.HELD", 2)
    load = Gated()
    load.go_on.set()
    async with aclosing(FreshDirectory(Steady(), load, [ThreadPoolExecutor(1)])) as directory:
        for environment in "abacab":
            await asyncio.gather(*asked(directory, "o", environment))
    assert [environment for _, environment in load.begun] == ["a", "b", "c", "b"]


async def test_a_close_ends_what_waits_for_a_turn():
    """A worker that is stopped loads thousands of environments first, for nobody."""
    load = Gated()
    directory = FreshDirectory(Steady(), load, [ThreadPoolExecutor(1)])
    tasks = asked(directory, "o", "first", "second")
    await load.arrived()
    closing = asyncio.create_task(directory.aclose())
    await asyncio.sleep(0)
    load.go_on.set()
    first, second = await asyncio.gather(*tasks, return_exceptions=True)
    await closing
    assert first.snapshot is not None
    assert isinstance(second, Unavailable)
    assert load.begun == [("o", "first")]


async def test_an_error_that_nobody_waits_for_is_no_news(caplog):
    """Callers who hang up while the database is down fill the log with traces."""
    begun, go_on = threading.Event(), threading.Event()

    def load(*_):
        begun.set()
        go_on.wait(10)
        raise OperationalError("gone")

    async with aclosing(FreshDirectory(Steady(), load, [ThreadPoolExecutor(1)])) as directory:
        (task,) = asked(directory, "o", "e")
        assert await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await asyncio.wait([task])
        go_on.set()
    gc.collect()
    assert not caplog.records


async def test_every_thread_has_its_own_connection_and_all_are_closed(monkeypatch):
    """Each restart leaves connections behind, until the database takes no more."""
    both, opened = threading.Barrier(2), []

    def load(*_):
        connection.ensure_connection()
        opened.append(connection._connections[connection._alias])
        both.wait(10)
        return replace(building.snapshot(None), revision=2)

    monkeypatch.setattr("agentxsuite.gateway.asgi.load_snapshot", load)
    async with aclosing(open_directory()) as directory:
        directory._reader, reader = Steady(), directory._reader
        await reader.aclose()
        await asyncio.gather(*asked(directory, "one", "0"), *asked(directory, "two", "0"))
        assert opened[0] is not opened[1]
        assert all(one.connection is not None for one in opened)
    assert all(one.connection is None for one in opened)
