"""What waits for a connection's server over REST, on a real server before a real upstream."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Connection, Tool
from agentxsuite.control.catalog.services import create_connection
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.secretstore.models import SecretVersion
from agentxsuite.control.secretstore.services import store
from tests import servers
from tests.servers.mcp_http import told

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
PIPES = Path(servers.__file__).parent / "mcp_stdio.py"
TEMPLATE = """
[pipes]
command = ["/bin/sh", "-c", "echo $$ > {pid}; exec {python} {program} stateless"]
"""


@sync_to_async
def login(world, name="alice"):
    return {"authorization": f"Bearer {AuthToken.objects.create(world.company.people[name])[1]}"}


@pytest.fixture
def connect(world):
    """Connect something else, in prod."""

    @sync_to_async
    def connect(name, endpoint, **access):
        company = world.company
        if access.get("auth_method"):
            access["secret_ref"] = store(company.actor, company.organization, None, "value").ref
        return create_connection(company.actor, company.prod, name, endpoint, **access)

    return connect


@pytest.fixture
def process(settings, tmp_path):
    """The id of the process that the template `pipes` started last; asked for before `client`."""
    pid, templates = tmp_path / "pid", tmp_path / "templates.toml"
    templates.write_text(TEMPLATE.format(pid=pid, python=sys.executable, program=PIPES))
    settings.STDIO_TEMPLATES = str(templates)
    return lambda: int(pid.read_text())


def door(connection, verb="test"):
    return f"/api/v1/connections/{connection.id}/{verb}/"


def page(world, kind, row=None):
    whole = f"/api/v1/orgs/{world.company.organization.id}/{kind}/"
    return whole if row is None else f"{whole}{row.id}/"


async def execute(client, world, tool="tests/echo"):
    body = {"tool": tool, "input": {"text": "hello"}, "agent": str(world.agent.id)}
    return (await client.post(world.execute, json=body, headers=world.bearer)).json()


async def test_a_server_that_answers_is_well(client, world):
    """Otherwise: nobody knows before the first call whether a connection works."""
    bob = world.company.people["bob"]
    answer = await client.post(door(world.connection), headers=await login(world, "bob"))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["status"], found["code"], found["reason"]) == ("ok", None, "")
    assert (found["server_info"]["name"], found["server_info"]["version"]) == ("tests", "1.2.3")
    stored = await Connection.objects.aget(id=world.connection.id)
    assert (stored.status, stored.server_info["name"]) == ("ok", "tests")
    assert stored.last_seen_at is not None
    event = await AuditEvent.objects.aget(event_type="connection_tested")
    assert (event.subject, event.target) == (f"user:{bob.id}", "connection:tests")
    assert event.event_data == {"status": "ok", "code": None, "reason": ""}


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("http://127.0.0.1:9/mcp", "upstream_unavailable"),
        ("http://192.0.2.1/mcp", "egress_denied"),
    ],
)
async def test_a_server_that_does_not_answer_is_a_finding(client, world, endpoint, code):
    """Otherwise: somebody searches for an hour which part is broken."""
    await Connection.objects.aupdate(endpoint=endpoint, last_seen_at=None)
    answer = await client.post(door(world.connection), headers=await login(world))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["status"], found["code"], found["server_info"]) == ("fail", code, {})
    assert (bool(found["reason"]), found["last_seen_at"]) == (True, None)
    stored = await Connection.objects.aget(id=world.connection.id)
    assert (stored.status, stored.status_reason) == ("fail", found["reason"])
    shown = await client.get(page(world, "connections", stored), headers=await login(world))
    assert shown.json()["status_reason"] == found["reason"]


async def test_a_credential_that_cannot_be_read_is_a_finding(client, world, connect):
    """Otherwise: a lost key looks like a broken server."""
    connection = await connect("Locked", world.upstream, auth_method="bearer")
    await SecretVersion.objects.aupdate(ciphertext=b"x" * 64)
    found = (await client.post(door(connection), headers=await login(world))).json()
    assert (found["status"], found["code"]) == ("fail", "secret_unavailable")


async def test_nothing_waits_for_a_slow_server(client, world, connect):
    """Otherwise: one dead server, and on SQLite nobody can change anything meanwhile."""
    written = []

    async def slow(_reader, writer):
        rows = Agent.objects.filter(id=world.agent.id)
        written.append(await asyncio.wait_for(in_thread(rows.update, tags=["seen"]), 5))
        writer.close()

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    connection = await connect("Slow", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    headers = await login(world)
    found = (await client.post(door(connection), headers=headers)).json()
    body = {"connection": str(connection.id), "upstream_name": "echo"}
    refused = await client.post(page(world, "tools"), json=body, headers=headers)
    server.close()
    await server.wait_closed()
    assert (found["code"], refused.status_code) == ("upstream_unavailable", 502)
    assert refused.json()["code"] == "upstream_unavailable"
    assert set(written) == {1}


async def test_one_tool_is_taken_up_by_its_name(client, world, connect):
    """Otherwise: whoever wants one tool has to take all that a server offers."""
    connection, headers = await connect("Other", world.upstream), await login(world)
    body = {"connection": str(connection.id), "upstream_name": "add"}
    made = await client.post(page(world, "tools"), json=body, headers=headers)
    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["sync_status"]) == ("other/add", "synced")
    assert await Tool.objects.filter(connection=connection).acount() == 1
    again = await client.post(page(world, "tools"), json=body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "tool_exists")
    absent = {**body, "upstream_name": "nothing"}
    refused = await client.post(page(world, "tools"), json=absent, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "tool_not_offered")
    event = await AuditEvent.objects.aget(event_type="tool_added")
    assert (event.target, event.event_data["restored"]) == ("tool:other/add", False)


async def test_a_deleted_tool_is_brought_back_by_its_name(client, world):
    """Otherwise: a slip of the hand takes a tool away for ever."""
    await sync_to_async(world.allow)()
    headers = await login(world)
    echo = await Tool.objects.aget(name="tests/echo")
    assert (await execute(client, world))["status"] == "succeeded"
    gone = await client.delete(page(world, "tools", echo), headers=headers)
    assert gone.status_code == 204
    assert (await execute(client, world))["code"] == "tool_unknown"
    body = {"connection": str(world.connection.id), "upstream_name": "echo"}
    back = await client.post(page(world, "tools"), json=body, headers=headers)
    assert (back.json()["id"], back.json()["sync_status"]) == (str(echo.id), "synced")
    assert (await execute(client, world))["status"] == "succeeded"

    await client.delete(page(world, "tools", echo), headers=headers)
    await told(world.upstream, "/describe?text=Now+another+one.")
    back = await client.post(page(world, "tools"), json=body, headers=headers)
    assert (back.json()["sync_status"], back.json()["pending"]) == ("pending_review", 2)
    assert (await execute(client, world))["code"] == "tool_quarantined"


async def test_a_switch_counts_with_the_next_call(client, world):
    """Otherwise: a tool that was switched off goes on running."""
    await sync_to_async(world.allow)()
    headers = await login(world)
    echo = await Tool.objects.aget(name="tests/echo")
    one = page(world, "tools", echo)
    await client.patch(one, json={"enabled": False}, headers=headers)
    assert (await execute(client, world))["code"] == "tool_disabled"
    await client.patch(one, json={"enabled": True}, headers=headers)
    connection = page(world, "connections", world.connection)
    await client.patch(connection, json={"enabled": False}, headers=headers)
    assert (await execute(client, world))["code"] == "connection_disabled"
    assert (await client.delete(connection, headers=headers)).status_code == 204
    assert (await execute(client, world))["code"] == "tool_unknown"


@pytest.mark.parametrize("change", ["delete", "disable"])
async def test_its_process_ends_with_it(process, client, world, connect, change):
    """Otherwise: the command of a connection that is gone runs on, with its credential."""
    connection, headers = await connect("Pipes", "stdio://pipes"), await login(world)
    found = (await client.post(door(connection), headers=headers)).json()
    assert found["status"] == "ok", found
    os.kill(process(), 0)  # it runs
    one = page(world, "connections", connection)
    if change == "delete":
        assert (await client.delete(one, headers=headers)).status_code == 204
    else:
        await client.patch(one, json={"enabled": False}, headers=headers)
    with pytest.raises(ProcessLookupError):
        os.kill(process(), 0)
