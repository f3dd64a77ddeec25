"""What ends in the control plane ends at the doors of the data plane with the next call."""

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.tenancy import accounts
from agentxsuite.control.tenancy.models import Organization
from tests.cast import MADE_BY_HAND

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture
async def login(world):
    """Headers with a login token of a member."""

    @sync_to_async
    def login(name):
        token = AuthToken.objects.create(world.company.people[name])[1]
        return {"authorization": f"Bearer {token}"}

    await sync_to_async(world.allow)()
    return login


async def execute(client, world, headers):
    body = {"tool": "tests/echo", "input": {"text": "hello"}, "agent": str(world.agent.id)}
    return (await client.post(world.execute, json=body, headers=headers)).status_code


async def test_a_deleted_organization_answers_nobody(client, world, login):
    """Otherwise: agents and people go on calling tools of an organization that was shut down."""
    alice = await login("alice")
    assert await execute(client, world, world.bearer) == 201
    assert await execute(client, world, alice) == 201
    home = f"/api/v1/orgs/{world.company.organization.id}/"
    assert (await client.delete(home, headers=alice)).status_code == 204
    assert await execute(client, world, world.bearer) == 401
    assert await execute(client, world, alice) == 404
    assert (await client.post(world.mcp, json=LIST, headers=world.bearer)).status_code == 401
    deleted = await sync_to_async(Organization.objects.get)(id=world.company.organization.id)
    assert deleted.deleted_at is not None


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"is_active": False}, None])
async def test_a_lost_role_counts_with_the_next_call(client, world, login, change):
    """Otherwise: whoever was let go, suspended or demoted goes on calling tools."""
    alice, bob = await login("alice"), await login("bob")
    assert await execute(client, world, bob) == 201
    people = world.company.people
    one = f"/api/v1/orgs/{world.company.organization.id}/members/{people['bob'].id}/"
    if change is None:
        await client.delete(one, headers=alice)
    else:
        await client.patch(one, json=change, headers=alice)
    assert await execute(client, world, bob) == (403 if "role" in (change or {}) else 404)
    assert await execute(client, world, alice) == 201


async def test_a_new_password_ends_logins_there_too(client, world, login):
    """Otherwise: a stolen login calls tools after its owner has done everything right."""
    bob = await login("bob")
    assert await execute(client, world, bob) == 201
    email = world.company.people["bob"].email
    await sync_to_async(accounts.reset_password)(MADE_BY_HAND, email, "a long enough password")
    assert await execute(client, world, bob) == 401
