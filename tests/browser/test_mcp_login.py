"""Real MCP clients, a real browser, a person: from the 401 to the call, and to its end."""

from contextlib import asynccontextmanager

import httpx2
import pytest
from asgiref.sync import sync_to_async
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run
from tests.browser.pages import Program, allow, listening, log_in
from tests.cast import client as rest

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


class Memory:
    """Where a client keeps its tokens."""

    tokens = info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.info

    async def set_client_info(self, client_info):
        self.info = client_info


def provider(house, callback, tab, *, document=None, path=""):
    """The SDK's own login; the browser is a person's."""

    async def go(address):
        await tab.goto(address)
        await log_in(tab, house.person("bob").email)
        await allow(tab)

    async def come_back():
        answer = await callback.answer()
        return AuthorizationCodeResult(**answer)

    metadata = OAuthClientMetadata(client_name="Real client", redirect_uris=[callback.address])
    where = f"{house.mcp}{path}"
    return OAuthClientProvider(where, metadata, Memory(), go, come_back, document)


@asynccontextmanager
async def connected(house, login, path=""):
    async with httpx2.AsyncClient(auth=login, timeout=30) as carrier:
        transport = streamable_http_client(f"{house.mcp}{path}", http_client=carrier)
        async with Client(transport) as client:
            yield client


@pytest.mark.parametrize("path", ["", "tests/"])
async def test_a_person_adds_the_address_logs_in_and_the_client_works(house, tab, path):
    """Otherwise: nobody can use the gateway from an MCP client but by pasting tokens."""
    async with listening() as callback:
        login = provider(house, callback, tab, path=path)
        async with connected(house, login, path) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            name = "echo" if path else "tests__echo"
            assert name in tools
            assert (await client.call_tool(name, {"text": "hi"})).content[0].text == "hi"
    run = await sync_to_async(Run.objects.get)()
    bob = house.person("bob")
    assert (run.subject, run.run_as_user_id, run.agent_id) == (
        f"user:{bob.id}",
        bob.id,
        house.agent.id,
    )
    types = await sync_to_async(lambda: set(AuditEvent.objects.values_list("event_type")))()
    assert {("login",), ("grant_given",), ("token_issued",), ("client_registered",)} <= types


async def test_a_grant_that_is_ended_is_refused_at_the_next_call(house, tab):
    """Otherwise: a client that a person no longer trusts goes on."""
    async with listening() as callback:
        login = provider(house, callback, tab)
        async with connected(house, login) as client:
            await client.list_tools()
        bob = await sync_to_async(rest)(house.person("bob"))
        grants = (await sync_to_async(bob.get)("/api/v1/auth/me/grants/")).json()["results"]
        assert [(one["client_name"], one["agent_name"]) for one in grants] == [
            ("Real client", "Clerk")
        ]
        token = login.context.storage.tokens
        probe = Program(house, callback)
        assert (await probe.list_tools(token.access_token)).status_code == 200
        ended = await sync_to_async(bob.delete)(f"/api/v1/auth/me/grants/{grants[0]['id']}/")
        assert ended.status_code == 204
        refused = await probe.list_tools(token.access_token)
        assert (refused.status_code, refused.json()["code"]) == (401, "token_revoked")
        probe.client_id = login.context.storage.info.client_id
        again = await probe.refresh(token.refresh_token)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert await sync_to_async(AuditEvent.objects.filter(event_type="grant_ended").count)() == 1
