"""What every step of the story gets: the actors, and the world they act in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from demo.agent import Agent, agent_with
from demo.person import Person, good, logged_in
from demo.transcript import Transcript
from demo.world import World


@dataclass(frozen=True)
class Stage:
    """The agent, the person, the payments company, and somebody who writes it all down."""

    world: World
    transcript: Transcript
    agent: Agent
    person: Person
    company: httpx2.AsyncClient

    async def sync(self) -> None:
        """Let AgentxSuite ask every server for its tools, as the person."""
        self.transcript.progress("each server is asked for its tools (sync)")
        ids = self.world.connections.values()
        syncs = [self.person.post(f"connections/{connection}/sync/") for connection in ids]
        await asyncio.gather(*syncs)
        self.transcript.progress("everything is ready")

    async def book(self) -> list[dict[str, Any]]:
        """What the payments company itself says has happened."""
        return list(good(await self.company.get("/book"), "GET /book", 200))


@asynccontextmanager
async def raised(world: World, transcript: Transcript) -> AsyncIterator[Stage]:
    """Everybody in place."""
    async with (
        logged_in(world) as person,
        agent_with((await person.issue("demo")).token, world, transcript) as agent,
        httpx2.AsyncClient(
            base_url=world.payments_url,
            headers={"Authorization": f"Bearer {world.payments_key}"},
            trust_env=False,
        ) as company,
    ):
        yield Stage(world, transcript, agent, person, company)
