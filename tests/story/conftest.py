"""The whole server, in this process, on a real socket, before a real upstream."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest
import uvicorn
from asgiref.sync import async_to_sync

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.catalog.services import create_connection, sync_connection
from agentxsuite.control.catalog.upstreams import open_upstreams
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.services import create_policy
from agentxsuite.gateway.sse import END_STREAMS
from agentxsuite.project.asgi import Application
from tests.cast import Company
from tests.openapi.checked import checked
from tests.servers import mcp_http


@dataclass
class World:
    """Acme with one connection, one agent that may use all of it, and its token."""

    company: Company
    connection: Connection
    agent: Agent
    token: str
    upstream: str

    @property
    def mcp(self) -> str:
        """The path of the environment's MCP address."""
        return f"/mcp/{self.company.organization.id}/{self.company.prod.id}/"

    @property
    def execute(self) -> str:
        return f"/api/v1/orgs/{self.company.organization.id}/runs/execute/"

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def allow(self, target: str = "tool:*", **facts) -> None:
        """Write a policy of one allow, bound to the organization."""
        self.rule("allow", target, **facts)

    def rule(self, effect: str, target: str, **facts) -> None:
        """Write a policy of one rule, bound to the organization."""
        company = self.company
        drafted = {"action": "tool.invoke", "target": target, "effect": effect, **facts}
        rule = RuleDraft(**drafted)
        binding = BindingDraft("org", str(company.organization.id))
        name = f"{effect} {target} {len(str(facts))}"
        draft = PolicyDraft(name=name, rules=(rule,), bindings=(binding,), acknowledge_broad=True)
        create_policy(company.actor, company.organization, draft)


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """A real MCP server built with the SDK."""
    with mcp_http.running("--stream") as url:
        yield url


@pytest.fixture
def world(transactional_db, company, upstream, settings, token_keys, master_keys) -> World:
    settings.EGRESS_ALLOW = ["127.0.0.0/8"]
    connection = create_connection(company.actor, company.prod, "Tests", upstream)
    synced(company, connection)
    agent = company.agent()
    return World(company, connection, agent, company.token(agent), upstream)


@async_to_sync
async def synced(company: Company, connection: Connection):
    async with open_upstreams() as upstreams:
        return await sync_connection(company.actor, connection, upstreams)


@asynccontextmanager
async def serving(plane: str = "all") -> AsyncIterator[httpx2.AsyncClient]:
    """Serve on a free port until left; yields a client of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            Application(plane), lifespan="on", log_level="warning", proxy_headers=False
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        hooks = {"response": [checked]}
        async with httpx2.AsyncClient(base_url=base, timeout=30, event_hooks=hooks) as client:
            yield client
        server.lifespan.state[END_STREAMS]()
        server.should_exit = True
        await running


@pytest.fixture
async def client(world) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving() as connected:
        yield connected
