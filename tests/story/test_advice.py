"""Who may read policies learns from a denial what would allow the call; an agent does not."""

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}


@sync_to_async
def login(world, name):
    return {"authorization": f"Bearer {AuthToken.objects.create(world.company.people[name])[1]}"}


async def test_a_person_is_told_the_command(client, world):
    """Otherwise: the first call is denied, and nobody says what to do."""
    body = {**ECHO, "agent": world.agent.slug}
    denied = await client.post(world.execute, json=body, headers=await login(world, "bob"))
    line = f"agentxsuite policies allow --agent {world.agent.slug} --tool tests/echo --env prod"
    assert (denied.status_code, denied.json()["allow"]) == (403, line)
    await sync_to_async(world.rule)("deny", "tool:tests/echo", name="no echo")
    denied = await client.post(world.execute, json=body, headers=await login(world, "alice"))
    assert "allow" not in denied.json()
    assert denied.json()["denied_by"]["rule"] == "no echo"


async def test_an_agent_is_told_nothing_of_it(client, world):
    """Otherwise: an agent learns how its owner writes policies, and asks for more."""
    denied = await client.post(world.execute, json=ECHO, headers=world.bearer)
    assert denied.status_code == 403
    assert not {"allow", "denied_by"} & set(denied.json())


async def test_who_may_not_run_tools_is_not_advised(client, world):
    """Otherwise: somebody allows something, and is refused for another reason."""
    body = {**ECHO, "agent": world.agent.slug}
    denied = await client.post(world.execute, json=body, headers=await login(world, "vera"))
    assert denied.status_code == 403
    assert not {"allow", "denied_by"} & set(denied.json())
