"""A server is told to stop while a call is in its hands: a real process, from outside."""

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from agentxsuite.control.runs.models import Run, Worker
from tests.story.held import holding
from tests.story.talking import Listening

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}
COMMAND = Path(sys.executable).with_name("agentxsuite")
LISTENING = re.compile(rb"running on (http://[0-9.:]+)")


@pytest.fixture
async def held(world):
    await sync_to_async(world.allow)()
    async with holding() as upstream:
        upstream.free.clear()
        yield upstream


@asynccontextmanager
async def server():
    """The program on this test's database; yields its process and a client of it."""
    command = asyncio.create_subprocess_exec(
        *(COMMAND, "serve", "--port", "0"), env=environment(), stderr=asyncio.subprocess.PIPE
    )
    process = await command
    try:
        address = await listening(process)
        async with httpx2.AsyncClient(base_url=address, timeout=30, trust_env=False) as client:
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def environment():
    """The settings of this test run, as variables."""
    name = str(settings.DATABASES["default"]["NAME"])
    addresses = {
        variable: f"sqlite:///{name}"
        if settings.EMBEDDED
        else on_database(os.environ[variable], name)
        for variable in ("DATABASE_URL", "DATABASE_LEDGER_URL")
        if variable in os.environ
    }
    return {**os.environ, **addresses, "EGRESS_ALLOW": "127.0.0.0/8"}


def on_database(url, name):
    return urlsplit(url)._replace(path=f"/{name}").geturl()


async def listening(process):
    """The address that the program says it listens on."""
    said = b""
    async for line in process.stderr:
        said += line
        if found := LISTENING.search(line):
            return found[1].decode()
    return pytest.fail(f"it does not listen:\n{said.decode()}")


@sync_to_async
def the_run():
    return Run.objects.get()


@sync_to_async
def leases():
    return Worker.objects.count()


async def test_a_call_in_flight_is_answered_and_the_process_ends_in_order(world, held):
    """Every restart cuts off calls that their tools have begun, and leaves a lease behind."""
    async with server() as (process, client):
        calling = asyncio.create_task(client.post(world.execute, json=ECHO, headers=world.bearer))
        await held.arrived()
        assert await leases() == 1
        process.send_signal(signal.SIGTERM)
        while (ready := await client.get("/readyz")).status_code == 200:
            assert not calling.done()
        assert ready.json()["code"] == "starting"
        assert ready.headers["connection"] == "close"
        held.free.set()
        answer = await calling
        assert answer.status_code == 201, answer.text
        assert answer.headers["connection"] == "close"
        assert await process.wait() == 0
    assert (await the_run()).status == "succeeded"
    assert await leases() == 0


async def test_who_listens_is_let_go_in_order(world):
    """Otherwise: one open stream keeps a restart waiting for minutes, or is cut off."""
    async with server() as (process, client), Listening(client, world) as listening:
        process.send_signal(signal.SIGTERM)
        assert "result" in await listening.ended()
        assert await process.wait() == 0


async def test_a_second_signal_cancels_what_is_in_flight_and_says_so(world, held):
    """Whoever cannot wait has to kill the server, and nobody knows how its calls ended."""
    async with server() as (process, client):
        calling = asyncio.create_task(client.post(world.execute, json=ECHO, headers=world.bearer))
        await held.arrived()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        with pytest.raises(httpx2.HTTPError):
            await calling
        assert await process.wait() == 0
    run = await the_run()
    assert (run.status, run.outcome_code) == ("failed", "cancelled")
    assert await leases() == 0
