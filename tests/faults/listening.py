"""Clients listen at two workers, and hear of what is changed through either, with Redis or without.

At the end their token is revoked, and both are hung up on.
"""

import asyncio
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from statistics import median
from typing import Any

import msgspec
import orjson

from benchmarks.calls import Address
from benchmarks.streams import Stream
from tests.faults.broken import Broken, require
from tests.faults.freshness import place, program
from tests.faults.guest_facts import Guest
from tests.faults.stage import Stage, staged

CHANGED = "notifications/tools/list_changed"
ROUNDS = {True: 3, False: 20}  # with Redis, and as many without
SOON, LATEST = 1.0, 3.0  # seconds: half of all are heard so soon, and every one by then


def prove(short: bool) -> Sequence[str]:  # noqa: FBT001 - as the command line says it
    """Every client hears of every change within a second, and nobody listens after the end."""
    with staged() as stage, program(stage, "guest", place(stage)) as (_, said):
        guest = msgspec.json.decode(said.readline(), type=Guest)
        return asyncio.run(Listeners(stage, guest).heard(ROUNDS[short]))


class Listeners:
    """One client at each worker, and somebody who changes what they may use."""

    def __init__(self, stage: Stage, guest: Guest) -> None:
        self._stage, self._guest = stage, guest
        self._home = f"/api/v1/orgs/{stage.tenant.organization}"
        self._streams: list[Stream] = []

    async def heard(self, rounds: int) -> list[str]:
        """How soon they hear."""
        redis = self._stage.redis
        assert redis, "it is staged with one"
        for url in self._stage.urls:
            address = Address(url + self._stage.tenant.mcp, self._guest.token)
            self._streams.append(await Stream.open(address, "toolsListChanged"))
        lines = [await self._played(rounds, "with Redis")]
        redis.kill()
        try:
            lines.append(await self._played(rounds, "while Redis is away"))
        finally:
            redis.start()
        return [*lines, await self._ended()]

    async def _played(self, rounds: int, when: str) -> str:
        """Deny the tool through one worker, allow it again through the other, and so on."""
        taken: list[float] = []
        for number in range(rounds):
            made = await self._ask(number, "POST", "/policies/", self._denial())
            taken.append(await self._told())
            await self._ask(number + 1, "DELETE", f"/policies/{made['id']}/")
            taken.append(await self._told())
        if median(taken) > SOON or max(taken) > LATEST:
            raise Broken(f"heard late {when}: {sorted(taken)}")
        how = f"after {median(taken):.2f} s, the slowest after {max(taken):.2f} s"
        return f"{when}: {len(taken)} changes heard at both workers {how}"

    async def _told(self) -> float:
        """The seconds until both have heard; raises Broken where they hear something else."""
        begun = time.monotonic()
        told = await self._next()
        require(f"worker {at}: {each}" for at, each in enumerate(told) if not is_notice(each))
        return time.monotonic() - begun

    async def _ended(self) -> str:
        """Revoke the token through one worker."""
        path = f"/agents/{self._guest.agent}/tokens/{self._guest.jti}/revoke/"
        await self._ask(0, "POST", path)
        begun = time.monotonic()
        told = [*await self._next(), *await self._next()]
        ends = ["result" in (each or {}) for each in told]
        require([] if ends == [True, True, False, False] else [f"not ended: {told}"])
        return f"both streams ended {time.monotonic() - begun:.2f} s after the revocation"

    async def _next(self) -> list[dict[str, Any] | None]:
        async with asyncio.timeout(2 * LATEST):
            return await asyncio.gather(*(stream.next() for stream in self._streams))

    async def _ask(self, worker: int, method: str, path: str, body: Any = None) -> Any:
        """Change something through one of the workers; raises Broken."""
        at = self._stage.workers[worker % len(self._stage.workers)]
        return await asyncio.to_thread(self._asked, at.port, method, path, body)

    def _asked(self, port: int, method: str, path: str, body: Any) -> Any:
        line = HTTPConnection("127.0.0.1", port, timeout=2 * LATEST)
        headers = {"Authorization": f"Bearer {self._guest.login}"}
        headers["Content-Type"] = "application/json"
        line.request(method, self._home + path, orjson.dumps(body), headers)
        answer = line.getresponse()
        read = answer.read()
        line.close()
        require([] if answer.status < 300 else [f"{method} {path}: {answer.status} {read!r}"])
        return orjson.loads(read) if read else None

    def _denial(self) -> dict[str, Any]:
        """A policy that takes every tool from the guest."""
        rule = {"action": "tool.invoke", "target": "tool:*", "effect": "deny", "name": "no"}
        binding = {"scope_type": "agent", "scope_id": self._guest.agent, "priority": 1}
        return {"name": f"listening {time.monotonic()}", "rules": [rule], "bindings": [binding]}


def is_notice(told: dict[str, Any] | None) -> bool:
    """Whether it says that the list of tools has changed."""
    return told is not None and told.get("method") == CHANGED
