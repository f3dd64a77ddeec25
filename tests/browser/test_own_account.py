"""A person connects their own account in a real browser, and what they run is done with it."""

import httpx2
import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.catalog.services import create_connection
from tests.browser.pages import log_in
from tests.servers import mcp_http

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def server():
    """The other server, in a process of its own."""
    with mcp_http.program("tests.servers.mcp_guarded") as url:
        yield url


async def run(house, client):
    """Run the tool as the agent: whose account it was, or what the refusal says."""
    body = {"tool": "guarded/whoami", "input": {}, "agent": str(house.agent.id)}
    answer = (await client.post(house.world.execute, json=body)).json()
    return answer["result"]["content"][0]["text"] if "result" in answer else answer["code"]


async def test_a_person_connects_their_account_and_the_call_works(house, tab, server):
    """Otherwise: nobody gets from the refusal to a call with their own account."""
    company, bob = house.world.company, house.person("bob")
    connection = await sync_to_async(create_connection)(
        company.actor,
        company.prod,
        "Guarded",
        server,
        auth_method="oauth2",
        auth_config={"client_id": "public", "grant": "authorization_code"},
    )
    token = (await sync_to_async(AuthToken.objects.create)(bob))[1]
    lines = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=house.base, headers=lines, timeout=30) as client:
        refused = await client.post(f"/api/v1/connections/{connection.id}/sync/")
        assert refused.json()["code"] == "account_needed"

        await tab.goto(refused.json()["detail"].rpartition("open ")[2])
        await log_in(tab, bob.email)
        await tab.get_by_text("Connect your own account").first.wait_for()
        await tab.get_by_role("link", name="Go on to").click()
        await tab.get_by_text("Your account is connected").first.wait_for()
        assert tab.url.startswith(f"{house.base}/account/callback/{connection.id}/?")

        assert (await client.post(f"/api/v1/connections/{connection.id}/sync/")).status_code == 200
        assert await run(house, client) == "somebody"
        back = await tab.reload()
        assert back is not None
        assert back.status == 502  # the code was good once
        assert await run(house, client) == "somebody"


async def test_no_page_frames_or_runs_the_page_of_another(house, tab, server):
    """Otherwise: a hidden frame lends an account, or a connection's name runs as a script."""
    company, bob = house.world.company, house.person("bob")
    connection = await sync_to_async(create_connection)(
        company.actor,
        company.prod,
        "<img src=x onerror=document.title='run'>",
        server,
        auth_method="oauth2",
        auth_config={"client_id": "public", "grant": "authorization_code"},
    )
    page = await tab.goto(f"{house.base}/account/connect/?connection={connection.id}")
    await log_in(tab, bob.email)
    await tab.get_by_text("<img src=x").wait_for()
    assert await tab.title() != "run"
    page = await tab.reload()
    assert page is not None
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
