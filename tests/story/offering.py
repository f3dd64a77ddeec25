"""A company with a shop: an upstream of resources and prompts, and rules about them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from asgiref.sync import sync_to_async

from agentxsuite.control.agents.services import issue_token
from agentxsuite.control.catalog.services import create_connection
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.services import create_policy
from agentxsuite.engines.upstream.mirrors import encoded
from agentxsuite.gateway.jsonrpc import META, MODERN
from tests.servers.mcp_offers import Shop
from tests.story.conftest import World

NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
ACTIONS = ["tool.invoke", "resource.read", "prompt.get"]


@asynccontextmanager
async def offering(
    world: World, name: str = "Shop", kind: type[Shop] = Shop, **facts: Any
) -> AsyncIterator[Shop]:
    """A shop that is connected to the environment under a name."""
    shop = kind(**facts)
    async with shop.server() as server:
        company = world.company
        await sync_to_async(create_connection)(company.actor, company.prod, name, server.url)
        issued = await sync_to_async(issue_token)(company.actor, world.agent, scopes=ACTIONS)
        world.token = issued[1]
        yield shop


@sync_to_async
def permit(world: World, action: str, target: str, effect: str = "allow", **facts: Any) -> None:
    """Write a policy of one rule, bound to the organization."""
    company = world.company
    rule = RuleDraft(action=action, target=target, effect=effect, **facts)
    binding = BindingDraft("org", str(company.organization.id))
    name = f"{effect} {action} {target} {len(str(facts))}"
    draft = PolicyDraft(name, (rule,), (binding,), acknowledge_broad=True)
    create_policy(company.actor, company.organization, draft)


async def rpc(
    client: httpx2.AsyncClient, world: World, method: str, params: Any = None, **how: Any
) -> httpx2.Response:
    """One request over the wire; ``slug`` is a single server's, ``modern`` the era.

    ``able`` are the client's capabilities.
    """
    params, slug, modern = dict(params or {}), how.get("slug"), how.get("modern", True)
    lines = {"accept": "application/json, text/event-stream", **world.bearer}
    if modern:
        ours = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": how.get("able", {})}
        params["_meta"] = {**params.get("_meta", {}), **ours}
        lines |= {"mcp-protocol-version": MODERN, "mcp-method": method}
        if method in NAMED:
            lines["mcp-name"] = encoded(str(params[NAMED[method]]))
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return await client.post(f"{world.mcp}{slug}/" if slug else world.mcp, json=body, headers=lines)


async def result(*asked: Any, **how: Any) -> Any:
    """The result of one request."""
    answer = await rpc(*asked, **how)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def error(*asked: Any, **how: Any) -> Any:
    """The error of one request."""
    return (await rpc(*asked, **how)).json()["error"]
