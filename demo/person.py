"""The person who answers for the agent: logs in and uses the REST API with plain HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from demo.expectation import Unexpected
from demo.world import World

PATIENCE = 30.0  # seconds for one answer: a sync waits for the upstream


@dataclass(frozen=True)
class Pass:
    """A token of the agent, and the id by which it can be revoked."""

    jti: str
    token: str


class Person:
    """Somebody with a login; paths are below ``/api/v1/``."""

    def __init__(self, identity: str, http: httpx2.AsyncClient, world: World) -> None:
        self.identity = identity
        self._http = http
        self._world = world

    @property
    def tokens(self) -> str:
        """Where the agent's tokens are."""
        return f"orgs/{self._world.organization}/agents/{self._world.agent}/tokens/"

    async def issue(self, name: str) -> Pass:
        """Make one more token for the agent."""
        made = good(await self._http.post(self.tokens, json={"name": name}), "POST tokens/", 201)
        return Pass(made["jti"], made["token"])

    async def get(self, path: str, **filters: str | int) -> Any:
        """Read one thing; raises Unexpected for any answer but 200."""
        answer = await self._http.get(path, params=filters)
        return good(answer, f"GET {path}", 200)

    async def every(self, path: str, **filters: str | int) -> list[dict[str, Any]]:
        """Read a whole list, page by page."""
        page = await self.get(path, **filters)
        rows = list(page["results"])
        while page["next"]:
            page = good(await self._http.get(page["next"]), f"GET {path}", 200)
            rows += page["results"]
        return rows

    async def post(self, path: str, **body: object) -> Any:
        """Do something; raises Unexpected for an answer that is no success."""
        answer = await self._http.post(path, json=body)
        return good(answer, f"POST {path}", 200, 201)


@asynccontextmanager
async def logged_in(world: World) -> AsyncIterator[Person]:
    """A person after logging in with e-mail address and password."""
    async with httpx2.AsyncClient(
        base_url=f"{world.url}/api/v1/",
        headers={"User-Agent": "demo-person"},
        timeout=PATIENCE,
        trust_env=False,
    ) as http:
        login = {"email": world.email, "password": world.password}
        answer = good(await http.post("auth/login/", json=login), "POST auth/login/", 200)
        http.headers["Authorization"] = f"Bearer {answer['token']}"
        yield Person(answer["user"]["id"], http, world)


def good(answer: httpx2.Response, request: str, *statuses: int) -> Any:
    """The answer's JSON; raises Unexpected when its status is none of those."""
    if answer.status_code not in statuses:
        wanted = " or ".join(map(str, statuses))
        raise Unexpected(f"{request}: expected {wanted}, got {answer.status_code}: {answer.text}")
    return answer.json() if answer.content else None
