"""A real server at an address of its own, a real browser, and a person with a password."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest
import uvicorn
from asgiref.sync import sync_to_async
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.oauth import endpoints
from agentxsuite.control.tenancy import tries
from agentxsuite.control.tenancy.models import User
from agentxsuite.engines.limits import MemoryLimiter
from agentxsuite.project.asgi import Application
from tests.browser import chromium
from tests.openapi.checked import checked
from tests.story.conftest import World, synced, upstream, world  # noqa: F401  -- fixtures

PASSWORD = "correct horse battery"


@dataclass
class House:
    """A served world: `base` is its public address."""

    world: World
    base: str
    client: httpx2.AsyncClient

    @property
    def mcp(self) -> str:
        """The environment's MCP address."""
        return f"{self.base}{self.world.mcp}"

    def person(self, name: str) -> User:
        """Somebody of the company."""
        return self.world.company.people[name]

    @property
    def agent(self) -> Agent:
        """The agent that clients may be."""
        return self.world.agent


@pytest.fixture
def address(settings, monkeypatch):
    """A free port, which is the server's public address from the start."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings.PUBLIC_URL = base
        settings.CSRF_TRUSTED_ORIGINS = [base]
        settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "OIDC_ISS_ENDPOINT": base}
        monkeypatch.setattr(tries, "_LOCAL", MemoryLimiter())
        monkeypatch.setattr(endpoints, "_LIMITER", MemoryLimiter())
        yield listening, base


@pytest.fixture
async def house(address, world) -> AsyncIterator[House]:  # noqa: F811  -- the fixture
    listening, base = address
    await sync_to_async(world.allow)()
    for name in ("bob", "vera"):
        await sync_to_async(with_password)(world.company.people[name])
    async with serving(listening):
        hooks = {"response": [checked]}
        async with httpx2.AsyncClient(base_url=base, timeout=30, event_hooks=hooks) as client:
            yield House(world, base, client)


def with_password(user: User) -> None:
    user.set_password(PASSWORD)
    user.save()


@asynccontextmanager
async def serving(listening: socket.socket) -> AsyncIterator[None]:
    """Serve until left."""
    config = uvicorn.Config(Application(), lifespan="on", log_level="warning")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        opened = await driver.chromium.launch(
            executable_path=chromium.EXECUTABLE, args=list(chromium.FLAGS), headless=True
        )
        yield opened
        await opened.close()


@pytest.fixture
async def context(browser) -> AsyncIterator[BrowserContext]:
    made = await browser.new_context(locale="en-US")
    yield made
    await made.close()


@pytest.fixture
async def tab(context) -> Page:
    page = await context.new_page()
    page.set_default_timeout(10_000)
    return page
