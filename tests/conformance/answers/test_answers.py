"""One suite for both databases: what a key led to is found by exactly who has the key."""

import asyncio
import os
import signal
import socket
from contextlib import aclosing

import psycopg
import pytest
from asgiref.sync import sync_to_async
from msgspec import structs
from psycopg.conninfo import make_conninfo

from agentxsuite.control.storage.roles import conninfo
from agentxsuite.control.tenancy.models import Organization
from agentxsuite.gateway.asgi import open_answers, open_ledger
from agentxsuite.gateway.orm.stored import PostgresAnswers, SqliteAnswers
from agentxsuite.gateway.refusals import Unavailable
from tests.conformance.ledger.changes import FOREIGN, begun, ending, keyed
from tests.unit.gateway.building import NOON, ORGANIZATION

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
NAME = "answers under test"
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"


@pytest.fixture
async def ledger(transactional_db):
    for known in (ORGANIZATION, FOREIGN):
        await sync_to_async(Organization.objects.create)(id=known, name=known)
    async with aclosing(open_ledger()) as opened:
        yield opened


@pytest.fixture
async def answers():
    async with aclosing(open_answers()) as opened:
        yield opened


@pytest.fixture
def known():
    return begun()


async def test_a_run_is_found_by_its_key(ledger, answers, known):
    """A retry would run again what has run."""
    start = keyed(known)
    assert await answers.stored(start.key) is None
    await ledger.commit(start)
    running = await answers.stored(start.key)
    assert (running.status, running.digest, running.ended_at) == ("running", "0" * 64, None)
    await ledger.commit(ending(known, seconds=2))
    ended = await answers.stored(start.key)
    assert (ended.run_id, ended.decision_id) == (known.run_id, known.decision_id)
    assert (ended.status, ended.outcome_code, ended.code) == ("succeeded", None, None)
    assert ended.started_at == NOON
    assert (ended.ended_at - ended.started_at).total_seconds() == 2
    assert ended.ended_at.tzinfo is not None
    assert ended.output.replace(" ", "") == '{"content":[]}'


@pytest.mark.parametrize(
    "other",
    [
        {"organization_id": FOREIGN},
        {"principal": "agent:other"},
        {"method": "PUT"},
        {"path": "/elsewhere/"},
        {"key": "Once"},
    ],
)
async def test_a_key_belongs_to_one_caller_and_address(ledger, answers, known, other):
    """One tenant or agent could read the answers of another."""
    start = keyed(known)
    await ledger.commit(start)
    assert await answers.stored(start.key | other) is None


async def test_why_a_call_failed_is_found_with_it(ledger, answers, known):
    """A retry would be told another reason than the first try."""
    start = keyed(known)
    await ledger.commit(start)
    end = ending(known)
    step = end.steps[0] | {"details": '{"code":"upstream_rpc"}'}
    failed = end.end | {"status": "failed", "outcome_code": "upstream_error"}
    await ledger.commit(structs.replace(end, end=failed | {"output_json": None}, steps=[step]))
    found = await answers.stored(start.key)
    assert (found.outcome_code, found.code, found.output) == (
        "upstream_error",
        "upstream_rpc",
        None,
    )


async def test_a_database_that_is_away_is_told():
    """A call would be repeated because nobody could look whether it ran."""
    address = make_conninfo(host="127.0.0.1", port=1, dbname="none", user="nobody")
    for answers in (PostgresAnswers(address), SqliteAnswers("/nowhere/at.all")):
        async with aclosing(answers):
            with pytest.raises(Unavailable) as refused:
                await answers.stored(keyed(begun()).key)
        assert refused.value.code == "directory_unavailable"


async def test_a_database_that_never_greets_is_told_in_time():
    """Calls with a key would pile up behind a database that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        address = make_conninfo(host="127.0.0.1", port=port, dbname="none", user="nobody")
        async with aclosing(PostgresAnswers(address, 0.1)) as answers:
            with pytest.raises(Unavailable):
                await answers.stored(keyed(begun()).key)


@pytest.mark.database(only="postgres")
async def test_a_restarted_database_costs_no_call(ledger, known):
    """After a failover the first call with a key would fail on every worker."""
    start = keyed(known)
    await ledger.commit(start)
    named = conninfo("app") + f" application_name='{NAME}'"
    async with aclosing(PostgresAnswers(named)) as answers:
        assert await answers.stored(start.key)
        with psycopg.connect(conninfo("app"), autocommit=True) as other:
            [(process,)] = other.execute(BACKENDS, [NAME]).fetchall()
        os.kill(process, signal.SIGSTOP)
        asked = asyncio.create_task(answers.stored(start.key))
        await asyncio.sleep(0)
        os.kill(process, signal.SIGTERM)  # which it gets when it goes on
        os.kill(process, signal.SIGCONT)
        assert (await asked).run_id == known.run_id
