"""Keys are replaced while agents call: nobody notices."""

import secrets

import pytest
from asgiref.sync import sync_to_async

from agentxsuite import wire
from agentxsuite.control.agents.services import create_agent
from agentxsuite.control.catalog.services import create_connection, sync_connection
from agentxsuite.control.catalog.upstreams import current
from agentxsuite.control.secretstore import services as store
from agentxsuite.control.secretstore.keys import MasterKey, MasterKeys
from agentxsuite.control.secretstore.models import SecretVersion
from agentxsuite.project import rotating
from tests.servers.mcp_raw import RawServer
from tests.servers.mcp_recorder import Recorder

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def have(world, settings, tmp_path):
    """Let the operator have these keys, the first of which wraps."""

    def have(*keys):
        path = tmp_path / "master.json"
        path.write_bytes(wire.dumps({"keys": [key.as_json() for key in keys]}))
        path.chmod(0o600)
        settings.SECRET_KEYS = path

    return have


@pytest.fixture
async def call(world, client):
    """Call a server that asks for a credential, as an agent that logs in with a secret."""
    company, value = world.company, secrets.token_urlsafe(32)

    @sync_to_async
    def connected(url):
        world.allow()
        own = store.store(company.actor, company.organization, company.prod, "own-secret")
        login = store.store(company.actor, company.organization, company.prod, value)
        create_agent(company.actor, company.prod, "Fixed", inbound_secret_ref=login.ref)
        access = {"auth_method": "bearer", "secret_ref": own.ref}
        return create_connection(company.actor, company.prod, "Shut", url, **access)

    async with RawServer(Recorder().answer) as server:
        connection = await connected(server.url.replace("/mcp", "/old/bearer"))
        await sync_connection(company.actor, connection, current())

        async def call():
            body = {"tool": "shut/say", "input": {}}
            headers = {"authorization": f"Bearer {value}"}
            answer = await client.post(world.execute, json=body, headers=headers)
            assert answer.status_code == 201, answer.text
            assert server.asked[-1].headers["authorization"] == "Bearer own-secret"

        yield call


async def test_calls_go_on_while_both_keys_are_replaced(call, have, world, settings):
    """Otherwise: replacing a key is an outage, and so nobody does it."""
    organization = world.company.organization.id
    old = (await sync_to_async(MasterKeys.load)(settings.SECRET_KEYS)).wrapping
    new = MasterKey.generate()
    await call()
    have(old, new)
    await call()
    have(new, old)
    await call()
    steps = rotating.rotation(organization, data=True)
    while (said := await sync_to_async(next)(steps, None)) is not None:
        assert not said.is_wrong, said
        await call()
    have(new)
    await call()
    numbers = SecretVersion.objects.values_list("data_key__number", flat=True)
    assert await sync_to_async(set)(numbers) == {2}


async def test_calls_go_on_between_two_values(call, world):
    """Otherwise: a call that comes in the middle finds a text whose key is another."""
    organization = world.company.organization.id
    masters = await sync_to_async(rotating.MasterKeys.load)(rotating.settings.SECRET_KEYS)
    newest = await sync_to_async(rotating.renewed)(rotating.BY_HAND, organization, masters)
    work = rotating.moved(rotating.BY_HAND, newest, rotating.DRAWERS, masters)
    done = object()
    while await sync_to_async(next)(work, done) is not done:
        await call()
