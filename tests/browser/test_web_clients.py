"""Clients that are web pages: what a real browser lets them send and read."""

import json

import pytest
from playwright.async_api import Page

from tests.browser.conftest import House
from tests.browser.pages import listening

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
SCRIPT = """async ([address, token]) => {
  const body = JSON.stringify({jsonrpc: "2.0", id: 1, method: "tools/list", params: {}});
  const lines = {"content-type": "application/json", accept: "application/json, text/event-stream",
                 "mcp-protocol-version": "2025-11-25"};
  const stranger = await fetch(address, {method: "POST", body, headers: lines});
  const where = stranger.headers.get("www-authenticate").match(/resource_metadata="([^"]+)"/)[1];
  const version = {headers: {"mcp-protocol-version": "2025-11-25"}};
  const resource = await (await fetch(where, version)).json();
  const issuer = `${resource.authorization_servers[0]}/.well-known/oauth-authorization-server`;
  const login = await (await fetch(issuer, version)).json();
  const client = {client_name: "Page", redirect_uris: ["http://localhost:6274/callback"]};
  const made = await fetch(login.registration_endpoint, {method: "POST",
    body: JSON.stringify(client), headers: {"content-type": "application/json"}});
  const form = new URLSearchParams({grant_type: "authorization_code", code: "none"});
  const refused = await fetch(login.token_endpoint, {method: "POST", body: form});
  const listed = await fetch(address, {method: "POST", body,
    headers: {...lines, authorization: `Bearer ${token}`}});
  return [stranger.status, (await made.json()).client_name, (await refused.json()).error,
          (await listed.json()).result.tools.length > 0];
}"""


async def test_a_page_of_this_machine_logs_in_and_lists(house: House, tab: Page):
    """Otherwise: whoever tries a server from a page, as the Inspector is one, cannot connect."""
    async with listening() as site:
        await tab.goto(f"http://localhost:{site.port}/")
        told = await tab.evaluate(SCRIPT, [house.mcp, house.world.token])
    assert told == [401, "Page", "invalid_client", True]


async def test_any_other_page_learns_nothing(house: House, tab: Page):
    """Otherwise: a web page that somebody visits uses the tools of a server in their network."""
    ask = "address => fetch(address, {method: 'POST', body: '{}'}).then(() => 1, () => 0)"
    async with listening() as site:
        origin = f"http://pages.localhost:{site.port}"
        await tab.goto(f"{origin}/")
        assert await tab.evaluate(ask, house.mcp) == 0
    answer = await house.client.post(house.world.mcp, json={}, headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_a_page_sends_nothing_that_only_proxies_may(house: House):
    """Otherwise: a page names an agent, or says what only the proxy before us knows."""
    wanted = "authorization, mcp-param-region, x-agent, x-forwarded-for, mcp-a b"
    lines = {
        "origin": "http://localhost:6274",
        "access-control-request-method": "POST",
        "access-control-request-headers": wanted,
    }
    answer = await house.client.options(house.world.mcp, headers=lines)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-headers"] == "authorization, mcp-param-region"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert "access-control-allow-credentials" not in answer.headers
    del lines["origin"]
    assert (await house.client.options(house.world.mcp, headers=lines)).status_code == 405
    assert json.loads((await house.client.get("/healthz", headers=lines)).content)
