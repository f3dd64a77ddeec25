"""What the reader of PostgreSQL does when that is slow, gone, or asked too much."""

import asyncio
import os
import signal
import socket
import time
from contextlib import aclosing, contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from agentxsuite.control.storage.roles import conninfo
from agentxsuite.gateway.gate import Question
from agentxsuite.gateway.orm import PostgresReader
from agentxsuite.gateway.orm.line import Line, array_of
from agentxsuite.gateway.orm.reading import ReadFailed

pytestmark = [pytest.mark.database(only="postgres"), pytest.mark.django_db(transaction=True)]

NAME = "directory under test"
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
IMPATIENT = 0.3  # seconds


@pytest.fixture
def opened():
    """Make a reader whose backend can be found."""

    def opened(patience: float = 5.0):
        return aclosing(PostgresReader(conninfo("app") + f" application_name='{NAME}'", patience))

    return opened


@pytest.fixture
def backend():
    """The process of the server that answers the reader."""

    def backend() -> int:
        with psycopg.connect(conninfo("app")) as other:
            found = other.execute(BACKENDS, [NAME]).fetchall()
        assert len(found) == 1
        return found[0][0]

    return backend


@contextmanager
def frozen(process):
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def about(company, **facts) -> Question:
    return Question(str(company.organization.id), environment=str(company.prod.id), **facts)


async def test_a_restarted_server_costs_no_call(opened, backend, company):
    """After a failover every worker refuses calls, although the database is back."""
    async with opened() as reader:
        before = await reader.read(about(company))
        process = backend()
        with psycopg.connect(conninfo("app"), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        assert await reader.read(about(company)) == before
        assert backend() != process


async def test_a_lost_connection_is_noticed_while_nobody_asks():
    """A server that went at night keeps a dead socket on every worker until morning."""
    line = await Line.open(conninfo("app"), {"me": "SELECT pg_backend_pid()"})
    [(process,)] = await line.ask(("me", []))
    with psycopg.connect(conninfo("app"), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [int(process)])
    async with asyncio.timeout(5):
        while not line.closed:  # noqa: ASYNC110  -- only a test would wait for it
            await asyncio.sleep(0)


async def test_a_server_that_is_gone_while_it_is_asked_ends_the_wait(opened, backend, company):
    """Callers hang on a server that has died under their question."""
    async with opened() as reader:
        await reader.read(about(company))
        process = backend()
        with frozen(process):
            asked = asyncio.create_task(reader.read(about(company)))
            await asyncio.sleep(0)
            os.kill(process, signal.SIGTERM)  # which it gets when it goes on
        assert (await asked).revision


async def test_a_frozen_server_fails_the_call_in_time(opened, backend, company):
    """Calls pile up behind a database that accepts questions and never answers."""
    async with opened(IMPATIENT) as reader:
        await reader.read(about(company))
        began = time.monotonic()
        with frozen(backend()):
            with pytest.raises(ReadFailed):
                await reader.read(about(company))
            assert time.monotonic() - began < 10 * IMPATIENT
            assert (await reader.read(about(company))).revision  # by another connection


async def test_a_server_that_never_greets_fails_the_call_in_time():
    """Calls pile up behind a database that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        address = make_conninfo(host="127.0.0.1", port=port, dbname="none", user="nobody")
        async with aclosing(PostgresReader(address, IMPATIENT)) as reader:
            with pytest.raises(ReadFailed):
                await reader.read(Question("o"))


async def test_a_question_that_fails_spoils_no_other(opened, company):
    """One impossible id makes a worker useless."""
    async with opened() as reader:
        with pytest.raises(ReadFailed):
            await reader.read(Question(str(company.organization.id), environment="impossible"))
        assert (await reader.read(about(company))).revision


async def test_a_crowd_of_long_questions_is_answered(opened, company):
    """Under a flood the worker and the server wait for each other for ever."""
    ids = [f"{number} ".ljust(20_000, "x") for number in range(1200)]
    async with opened(30.0) as reader:
        asked = [reader.read(about(company, token_id=token)) for token in ids]
        answers = await asyncio.gather(*asked)
    assert len({answer.revision for answer in answers}) == 1


async def test_a_question_sees_its_own_organization_only(opened, company, rival):
    """Somebody else's environment could be asked about by who knows its id."""
    foreign = Question(str(company.organization.id), environment=str(rival.prod.id))
    async with opened() as reader:
        own, theirs, strange = await asyncio.gather(
            reader.read(about(company)), reader.read(about(rival)), reader.read(foreign)
        )
    assert own.revision
    assert theirs.revision
    assert strange.revision is None


async def test_the_scope_of_a_question_ends_with_it():
    """A connection carries one tenant's rows over to the next."""
    statements = {
        "scope": "SELECT set_config('agentxsuite.organizations', $1, true)",
        "shown": "SELECT current_setting('agentxsuite.organizations', true), NULL, $1::text[]",
    }
    line = await Line.open(conninfo("app"), statements)
    words = ['a"b', "c\\d", "e,f", "{}", "ü"]
    shown = await line.ask(("scope", ["here"]), ("shown", [array_of(words)]))
    assert shown == [("here", None, '{"a\\"b","c\\\\d","e,f","{}",ü}')]
    assert (await line.ask(("shown", ["{}"])))[0][0] == ""
    line.close()
    line.close()
