"""Syncs that really ask a server."""

import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Connection, Tool
from agentxsuite.control.catalog.services import (
    change_connection,
    create_connection,
    sync_connection,
)
from agentxsuite.control.catalog.sync import SyncReport, UpstreamFailed, UpstreamSlow
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.catalog.upstreams import NotServing, current, open_upstreams
from agentxsuite.control.problems import Conflict, NotFound
from agentxsuite.control.secretstore.services import SecretsUnavailable, store
from agentxsuite.engines.upstream import TemplateInvalid
from tests.servers.mcp_raw import RawServer, stateless
from tests.unit.control.catalog.definitions import definition

pytestmark = pytest.mark.database
written = pytest.mark.django_db(transaction=True)


@pytest.fixture
def offers():
    """What the server lists; a test may change it at any time."""
    return [definition("read"), definition("write")]


@pytest.fixture
async def server(offers):
    """A server that lists `offers`."""

    def script(asked):
        asked.result({"tools": list(offers), "resultType": "complete"})

    async with RawServer(stateless(script)) as raw:
        yield raw


@pytest.fixture
def connect(transactional_db, master_keys, actor, prod, settings):
    """Connect a server of this machine."""
    settings.EGRESS_ALLOW = ["127.0.0.0/8"]

    def connect(url, **access):
        return create_connection(actor, prod, "Pdf", url, **access)

    return sync_to_async(connect)


@pytest.fixture
def sync(actor):
    async def sync(connection):
        async with open_upstreams() as upstreams:
            assert current() is upstreams
            return await sync_connection(actor, connection, upstreams)

    return sync


@sync_to_async
def status(connection):
    connection.refresh_from_db()
    return connection.status, connection.status_reason


async def test_a_server_is_listed_and_its_tools_pinned(connect, sync, server, offers):
    """No tool of a real server could be called."""
    connection = await connect(server.url)
    assert (await sync(connection)).added == ("pdf/read", "pdf/write")
    offers[0] = definition("read", "Reads and mails.")
    assert (await sync(connection)).quarantined == ("pdf/read",)
    assert await status(connection) == ("ok", "")


async def test_the_credential_is_shown_to_the_server(connect, sync, server, actor, acme, prod):
    """A server with a login could never be listed, or the audit would not know what was used."""
    secret = await sync_to_async(store)(actor, acme, prod, "s3cret")
    connection = await connect(server.url, auth_method="bearer", secret_ref=secret.ref)
    await sync(connection)
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer s3cret"}
    event = await AuditEvent.objects.aget(event_type="connection_synced")
    assert event.event_data["secret_version"] == 1


async def test_a_credential_that_cannot_be_read_stops_it(connect, sync, server, actor, acme):
    """A server would be asked without its credential."""
    secret = await sync_to_async(store)(actor, acme, None, "s3cret")
    connection = await connect(server.url, auth_method="bearer", secret_ref=secret.ref)
    await Connection.objects.filter(id=connection.id).aupdate(auth_method="header")
    with pytest.raises(SecretsUnavailable):
        await sync(connection)
    assert server.asked == []


async def test_a_failing_server_is_told(connect, sync, offers, server):
    """Nobody could tell why the tools of a connection are missing."""
    connection = await connect(server.url)
    await sync(connection)
    offers[:] = ["no tool"]
    with pytest.raises(UpstreamFailed) as failed:
        await sync(connection)
    assert (failed.value.status, failed.value.code) == (502, "upstream_protocol")
    assert (await status(connection))[0] == "fail"
    events = AuditEvent.objects.filter(event_data__error="upstream_protocol")
    assert await events.acount() == 1
    assert await Tool.objects.filter(sync_status="synced").acount() == 2


async def test_an_endless_list_is_refused(connect, sync, offers, server):
    """A hostile server could fill the database."""
    connection = await connect(server.url)
    offers[:] = [definition(str(number)) for number in range(2001)]
    with pytest.raises(UpstreamFailed) as failed:
        await sync(connection)
    assert failed.value.code == "too_many_tools"


async def test_a_slow_server_is_a_timeout(connect, sync, monkeypatch):
    """A server that never answers would hold the caller for ever."""
    monkeypatch.setattr("agentxsuite.control.catalog.asking.LIST_SECONDS", 0.2)

    async with RawServer(lambda asked: asked.gone()) as silent:
        connection = await connect(silent.url)
        with pytest.raises(UpstreamSlow) as slow:
            await sync(connection)
    assert (slow.value.status, slow.value.code) == (504, "upstream_timeout")


async def test_an_edit_during_a_sync_makes_it_ask_again(connect, sync, actor, offers):
    """What the old server said would be approved for the new one."""
    connection = None
    edits = ["?1"]

    async def edit_once(asked):
        if edits:
            url = connection.endpoint + edits.pop()
            await sync_to_async(change_connection)(actor, connection, endpoint=url)
        asked.result({"tools": offers, "resultType": "complete"})

    async with RawServer(stateless(edit_once)) as busy:
        connection = await connect(busy.url)
        assert (await sync(connection)).added == ("pdf/read", "pdf/write")
        assert {asked.path for asked in busy.asked} == {"/mcp", "/mcp?1"}
        edits[:] = ["1", "2", "3"]
        with pytest.raises(Conflict) as problem:
            await sync_forever_edited(sync, connection)
    assert problem.value.code == "sync_superseded"


async def sync_forever_edited(sync, connection):
    await sync_to_async(connection.refresh_from_db)()
    return await sync(connection)


@written
async def test_what_is_not_there_is_not_asked(actor):
    """An unknown id would end in a server error."""
    async with open_upstreams() as upstreams:
        with pytest.raises(NotFound):
            await sync_connection(actor, Connection(organization_id=actor.user.id), upstreams)


def test_without_a_server_there_are_no_upstreams():
    """A command line would wait for sockets that nobody opened."""
    with pytest.raises(NotServing) as problem:
        current()
    assert problem.value.status == 503


async def test_they_are_gone_after_the_server():
    """A stopping server would take new work."""
    async with open_upstreams():
        assert current()
    with pytest.raises(NotServing):
        current()


@async_to_sync
async def opened():
    async with open_upstreams():
        pass


def test_settings_that_cannot_be_read_are_told_at_the_start(settings, tmp_path):
    """A slip in the operator's file would show as a failure of every tenant's connection."""
    (tmp_path / "bad.toml").write_text("[git]\ncommand = ['git']")
    settings.STDIO_TEMPLATES = str(tmp_path / "bad.toml")
    with pytest.raises(TemplateInvalid):
        opened()
    settings.STDIO_TEMPLATES = ""
    settings.EGRESS_ALLOW = ["what is this?/"]
    with pytest.raises(ValueError, match="EGRESS_ALLOW"):
        opened()


@written
async def test_a_thread_leaves_no_connection_behind():
    """The database would run out of connections after some hundred syncs."""
    inside = []

    def work():
        connections["default"].ensure_connection()
        inside.append((threading.get_ident(), connections["default"]))

    await asyncio.gather(*(in_thread(work) for _ in range(4)))
    assert all(thread != threading.get_ident() for thread, _ in inside)
    assert all(connection.connection is None for _, connection in inside)


def test_reports_start_empty():
    """A sync of an empty server would not be answered."""
    assert SyncReport().as_json()["added"] == []
