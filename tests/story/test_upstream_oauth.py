"""Connections whose servers want a token of an authorization server, from the API to the call."""

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run
from tests.servers import mcp_http
from tests.servers.mcp_http import told

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
SECRET = "machine's secret"


@pytest.fixture(scope="module")
def guarded():
    """A server behind an authorization server, both in a process of their own."""
    with mcp_http.program("tests.servers.mcp_guarded") as url:
        yield url


@sync_to_async
def login(user):
    return {"authorization": f"Bearer {AuthToken.objects.create(user)[1]}"}


async def connected(client, world, guarded, secret=SECRET):
    """A connection that logs in by client credentials, made as a person would."""
    company = world.company
    home = f"/api/v1/orgs/{company.organization.id}/connections/"
    bearer = await login(company.owner)
    stored = await client.post(f"{home}store-secret/", json={"value": secret}, headers=bearer)
    body = {
        "environment": str(company.prod.id),
        "name": "Guarded",
        "endpoint": guarded,
        "auth_method": "oauth2",
        "auth_config": {"client_id": "machine", "scope": "tools"},
        "secret_ref": stored.json()["secret_ref"],
    }
    made = await client.post(home, json=body, headers=bearer)
    assert made.status_code == 201, made.text
    return made.json()["id"], bearer


async def test_a_machine_logs_in_upstream_with_its_own_account(client, world, guarded):
    """Otherwise: a server that wants OAuth cannot be put behind the door."""
    connection, bearer = await connected(client, world, guarded)
    tested = await client.post(f"/api/v1/connections/{connection}/test/", headers=bearer)
    assert tested.json()["status"] == "ok", tested.text
    synced = await client.post(f"/api/v1/connections/{connection}/sync/", headers=bearer)
    assert synced.json()["added"] == ["guarded/whoami"], synced.text
    await sync_to_async(world.allow)()
    body = {"tool": "guarded/whoami", "input": {}}
    for _ in range(2):
        ran = await client.post(world.execute, json=body, headers=world.bearer)
        assert ran.json()["result"]["content"][0]["text"] == "machine", ran.text
        await told(guarded, "/forget")
    grants = await told(guarded, "/log")
    assert {grant["grant_type"] for grant in grants} == {"client_credentials"}
    assert {grant["resource"] for grant in grants} == {guarded}


async def test_a_login_that_fails_is_told_without_the_secret(client, world, guarded):
    """Otherwise: nobody knows what to put right, or the log knows the secret."""
    connection, bearer = await connected(client, world, guarded, "not its secret")
    tested = await client.post(f"/api/v1/connections/{connection}/test/", headers=bearer)
    assert tested.json()["status"] == "fail"
    assert tested.json()["code"] == "access_refused"
    assert "invalid_client" in tested.json()["reason"]
    record = await sync_to_async(lambda: str(list(AuditEvent.objects.values())))()
    assert "not its secret" not in record + tested.text


async def test_a_call_without_access_says_whom_to_tell(client, world, guarded):
    """Otherwise: an agent tries for ever what only a person can put right."""
    connection, bearer = await connected(client, world, guarded)
    await client.post(f"/api/v1/connections/{connection}/sync/", headers=bearer)
    await sync_to_async(world.allow)()
    change = {"auth_config": {"client_id": "stranger"}}
    path = f"/api/v1/orgs/{world.company.organization.id}/connections/{connection}/"
    assert (await client.patch(path, json=change, headers=bearer)).status_code == 200
    body = {"tool": "guarded/whoami", "input": {}}
    ran = await client.post(world.execute, json=body, headers=world.bearer)
    assert (ran.status_code, ran.json()["code"]) == (502, "access_refused")
    assert "administrator" in ran.json()["detail"]
    run = await sync_to_async(Run.objects.get)()
    assert (run.status, run.outcome_code) == ("failed", "upstream_error")
