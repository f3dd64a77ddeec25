"""A server that people use with accounts of their own, and people who do."""

from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import httpx2
import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.catalog.services import create_connection
from tests.servers import mcp_http
from tests.servers.mcp_http import told
from tests.story.conftest import serving


@pytest.fixture(scope="module")
def server():
    """A server behind an authorization server, both in a process of their own."""
    with mcp_http.program("tests.servers.mcp_guarded") as url:
        yield url


class Person:
    """Somebody with a login to the API, and with the same in their browser."""

    def __init__(self, base, token, cookie):
        self.api = httpx2.AsyncClient(
            base_url=base, headers={"authorization": f"Bearer {token}"}, timeout=30
        )
        self.browser = httpx2.AsyncClient(
            base_url=base, cookies={cookie: token}, timeout=30, follow_redirects=False
        )

    async def lends(self, home, connection, name):
        """Go the whole way, as the person `name` of the other server; the last page."""
        begun = await self.api.post(f"{home}connections/{connection}/authorize/")
        assert begun.status_code == 200, begun.text
        return await self.returns(begun.json()["authorize_url"], name)

    async def returns(self, url, name):
        async with httpx2.AsyncClient() as outside:
            sent = await outside.get(f"{url}&as={name}")
        back = urlsplit(sent.headers["location"])
        return await self.browser.get(f"{back.path}?{back.query}")

    async def syncs(self, connection):
        answer = await self.api.post(f"/api/v1/connections/{connection.id}/sync/")
        assert answer.status_code == 200, answer.text

    async def whoami(self, world):
        body = {"tool": "guarded/whoami", "input": {}, "agent": str(world.agent.id)}
        ran = await self.api.post(world.execute, json=body)
        report = ran.json()
        return report["result"]["content"][0]["text"] if ran.status_code == 201 else report["code"]


@pytest.fixture
async def own(world, server, settings):
    """A connection that people use with their own accounts; yields it and a way to be somebody."""
    await told(server, "/settings")
    acme = world.company
    connection = await sync_to_async(create_connection)(
        acme.actor,
        acme.prod,
        "Guarded",
        server,
        auth_method="oauth2",
        auth_config={"client_id": "public", "grant": "authorization_code", "scope": "own"},
    )
    await sync_to_async(world.allow)()
    async with serving() as client, AsyncExitStack() as stack:

        async def somebody(user):
            token = (await sync_to_async(AuthToken.objects.create)(user))[1]
            person = Person(str(client.base_url), token, settings.SESSION_COOKIE)
            await stack.enter_async_context(person.api)
            await stack.enter_async_context(person.browser)
            return person

        home = f"/api/v1/orgs/{acme.organization.id}/"
        yield connection, home, somebody
