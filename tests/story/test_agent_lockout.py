"""What an admin does to an agent or to its login over REST holds from the next call on."""

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.agents.models import IssuedToken

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}


@pytest.fixture
async def call(client, world):
    """Call a tool with a token, the world's unless told; answers the status and the code."""
    await sync_to_async(world.allow)()

    async def call(token=None):
        headers = {"authorization": f"Bearer {token or world.token}"}
        answer = await client.post(world.execute, json=ECHO, headers=headers)
        return answer.status_code, answer.json().get("code")

    assert await call() == (201, None)
    return call


@pytest.fixture
async def admin(client, world):
    """Ask below the organization's address, as its owner."""
    token = (await sync_to_async(AuthToken.objects.create)(world.company.owner))[1]
    home = f"/api/v1/orgs/{world.company.organization.id}/"

    async def admin(method, path, body=None):
        headers = {"authorization": f"Bearer {token}"}
        answer = await client.request(method, home + path, json=body, headers=headers)
        assert answer.status_code in {200, 201, 204}, answer.text
        return answer.json() if answer.content else None

    return admin


async def test_a_disabled_login_locks_its_agent_out_at_once(call, admin, world):
    """Otherwise: a stolen login goes on until somebody restarts the server."""
    path = f"service-accounts/{world.agent.service_account_id}/"
    await admin("PATCH", path, {"enabled": False})
    assert await call() == (403, "agent_disabled")
    await admin("PATCH", path, {"enabled": True})
    assert await call() == (201, None)


async def test_a_deleted_login_locks_its_agent_out_for_good(call, admin, world):
    """Otherwise: a deleted login still opens the door."""
    await admin("DELETE", f"service-accounts/{world.agent.service_account_id}/")
    assert await call() == (401, "token_revoked")
    agent = (await admin("GET", f"agents/{world.agent.id}/"))["id"]
    told = await admin("POST", f"agents/{agent}/ping/")
    assert told["reason"] == "The agent's service account was deleted."
    fresh = await admin("POST", f"agents/{agent}/tokens/", {})
    assert await call(fresh["token"]) == (403, "agent_disabled")


async def test_a_deleted_agent_is_gone_at_once(call, admin, world):
    """Otherwise: an agent that nobody can see any more goes on calling."""
    await admin("DELETE", f"agents/{world.agent.id}/")
    assert (await call())[0] == 401
    # Even if its token had not been revoked, there would be nobody to run as.
    await IssuedToken.objects.aupdate(revoked_at=None)
    assert await call() == (401, "agent_unknown")


async def test_a_deleted_token_stays_invalid(call, admin, world):
    """Otherwise: tidying up gives a revoked token its life back."""
    token = await IssuedToken.objects.aget()
    path = f"agents/{world.agent.id}/tokens/{token.jti}/"
    await admin("POST", f"{path}revoke/")
    await admin("DELETE", path)
    assert await call() == (401, "token_revoked")


async def test_a_complete_agent_calls_at_once_what_it_was_allowed(call, admin, world):
    """Otherwise: a new agent's first call is refused, or allowed everything."""
    body = {"environment": str(world.company.prod.id), "name": "New", "targets": ["tool:tests/e*"]}
    made = await admin("POST", "agents/create-axcore/", body)
    assert await call(made["token"]["token"]) == (201, None)
    effects = await admin("GET", f"agents/{made['agent']['id']}/access/?effect=allow")
    assert "tests/echo" in [row["tool"]["name"] for row in effects["results"]]
