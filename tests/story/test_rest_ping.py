"""An operator asks how an agent stands, over REST, on a real server before a real upstream."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from knox.models import AuthToken

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.agents.services import create_agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.secretstore.models import SecretVersion
from agentxsuite.control.secretstore.services import store

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@sync_to_async
def login(user):
    return {"authorization": f"Bearer {AuthToken.objects.create(user)[1]}"}


@sync_to_async
def runner(world, name="runner", **connection):
    """A runner of the connection, which some facts are changed of."""
    Connection.objects.filter(id=world.connection.id).update(**connection)
    company, facts = world.company, {"mode": "runner", "inbound_auth_method": "none"}
    return create_agent(company.actor, company.prod, name, connection=world.connection, **facts)


def address(agent):
    return f"/api/v1/orgs/{agent.organization_id}/agents/{agent.id}/ping/"


async def test_the_connection_of_a_runner_is_really_tested(client, world):
    """Otherwise: all looks well, and the first call of the day fails."""
    agent = await runner(world)
    bob = world.company.people["bob"]
    answer = await client.post(address(agent), headers=await login(bob))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["agent"], told["enabled"], told["mode"]) == (str(agent.id), True, "runner")
    tested = told["connection"]
    assert (tested["slug"], tested["status"], tested["code"]) == ("tests", "ok", None)
    assert tested["server_info"]["protocol_version"]
    event = await AuditEvent.objects.aget(event_type="agent_pinged")
    assert (event.subject, event.target) == (f"user:{bob.id}", f"agent:{agent.id}")
    assert event.event_data == {"status": "ok", "code": None}
    connection = await Connection.objects.aget(id=world.connection.id)
    assert (connection.status, connection.last_seen_at is None) == ("ok", False)


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("http://127.0.0.1:9/mcp", "upstream_unavailable"),
        ("http://192.0.2.1/mcp", "egress_denied"),
    ],
)
async def test_a_failing_connection_is_told_with_its_reason(client, world, endpoint, code):
    """Otherwise: somebody searches for an hour which part is broken."""
    agent = await runner(world, endpoint=endpoint)
    headers = await login(world.company.people["bob"])
    tested = (await client.post(address(agent), headers=headers)).json()["connection"]
    assert (tested["status"], tested["code"], tested["server_info"]) == ("fail", code, {})
    assert tested["reason"]


async def test_nothing_waits_for_a_slow_server(client, world):
    """Otherwise: one dead server, and on SQLite nobody can change anything meanwhile."""
    written = []

    async def slow(_reader, writer):
        rows = Agent.objects.filter(id=world.agent.id)
        written.append(await asyncio.wait_for(in_thread(rows.update, tags=["seen"]), 5))
        writer.close()

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    agent = await runner(world, endpoint=f"http://127.0.0.1:{port}/mcp")
    headers = await login(world.company.people["bob"])
    tested = (await client.post(address(agent), headers=headers)).json()["connection"]
    server.close()
    await server.wait_closed()
    assert (tested["status"], tested["code"]) == ("fail", "upstream_unavailable")
    assert set(written) == {1}


async def test_a_credential_that_cannot_be_read_is_a_reason(client, world):
    """Otherwise: a lost key looks like a broken server."""

    @sync_to_async
    def broken():
        secret = store(world.company.actor, world.company.organization, None, "s3cret")
        SecretVersion.objects.filter(secret=secret).update(ciphertext=b"x" * 64)
        return secret.ref

    agent = await runner(world, auth_method="bearer", secret_ref=await broken())
    headers = await login(world.company.people["bob"])
    tested = (await client.post(address(agent), headers=headers)).json()["connection"]
    assert (tested["status"], tested["code"]) == ("fail", "secret_unavailable")


async def test_a_deleted_connection_is_a_reason(client, world):
    """Otherwise: a runner without its server gets an error instead of an answer."""
    agent = await runner(world, deleted_at=timezone.now())
    headers = await login(world.company.people["bob"])
    answer = await client.post(address(agent), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["connection"]["code"] == "not_found"


async def test_who_is_switched_off_is_told_by_whom(client, world):
    """Otherwise: an agent stands still, and nobody sees the switch."""
    headers = await login(world.company.people["bob"])
    told = (await client.post(address(world.agent), headers=headers)).json()
    assert (told["enabled"], told["connection"]) == (True, None)

    account = world.agent.service_account
    account.enabled = False
    await account.asave()
    told = (await client.post(address(world.agent), headers=headers)).json()
    assert (told["enabled"], "service account" in told["reason"]) == (False, True)

    await Agent.objects.filter(id=world.agent.id).aupdate(enabled=False)
    told = (await client.post(address(world.agent), headers=headers)).json()
    assert told["reason"] == "The agent is disabled."


async def test_who_may_ping(client, world, rival):
    """Otherwise: a viewer or a stranger makes the server knock at others' doors."""
    agent, people = await runner(world), world.company.people
    for user, status in [
        (people["vera"], 403),
        (people["ada"], 403),
        (rival.owner, 404),
        (world.company.owner, 200),
    ]:
        answer = await client.post(address(agent), headers=await login(user))
        assert answer.status_code == status
    assert (await client.post(address(agent))).status_code == 401
    assert (await client.post(address(agent), headers=world.bearer)).status_code == 401
    assert await AuditEvent.objects.filter(event_type="agent_pinged").acount() == 1
