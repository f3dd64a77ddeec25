"""A program: changes a fact, calls at once by any worker, and looks whether the answer knows it.

``python -m tests.faults.rounds`` reads its plan as JSON from its input and prints what it found.
"""

import random
import sys
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import django
import msgspec
import orjson

django.setup()

# ruff: noqa: E402  # Django's models can be imported only now
from tests.faults.changes import SECRET, Asked, Company, Kind

ALLOWED = 201


class Plan(msgspec.Struct, frozen=True):
    """How many rounds, in which organization, through which workers, to which upstream."""

    rounds: int
    organization: str
    environment: str
    urls: tuple[str, ...]
    upstream: str
    seed: int


class Found(msgspec.Struct):
    """Rounds of each kind, stale answers in words, and the slowest call in seconds."""

    rounds: dict[str, int]
    stale: list[str]
    slowest: float


class Caller:
    """Calls one worker after the other, each over a connection that stays."""

    def __init__(self, plan: Plan) -> None:
        addresses = [urlsplit(url) for url in plan.urls]
        self._lines = [HTTPConnection(str(each.hostname), each.port) for each in addresses]
        self._path = f"/api/v1/orgs/{plan.organization}/runs/execute/"
        self._environment = plan.environment
        self.slowest = 0.0

    def call(self, worker: int, asked: Asked) -> tuple[int, dict[str, Any]]:
        """The status and body of the answer."""
        began = time.monotonic()
        body = {"agent": asked.agent, "tool": asked.tool, "input": {"call": "round"}}
        body["environment"] = self._environment
        headers = {"Authorization": f"Bearer {asked.token}", "Content-Type": "application/json"}
        line = self._lines[worker]
        line.request("POST", self._path, orjson.dumps(body), headers)
        answer = line.getresponse()
        read = orjson.loads(answer.read())
        self.slowest = max(self.slowest, time.monotonic() - began)
        return answer.status, read


def run(plan: Plan) -> Found:
    """All rounds, the kinds in turn; the worker is any."""
    chance = random.Random(plan.seed)  # noqa: S311  # an order, not a secret
    company = Company(plan.organization, plan.environment, plan.upstream)
    caller, kinds = Caller(plan), company.kinds()
    found = Found(dict.fromkeys(kinds, 0), [], 0.0)
    for number in range(plan.rounds):
        name = list(kinds)[number % len(kinds)]
        worker = chance.randrange(len(plan.urls))
        value = f"{company.mark}-{number}" if name == SECRET else found.rounds[name] % 2 == 1
        answer = played(caller, kinds[name], worker, value)
        found.rounds[name] += 1
        if answer:
            found.stale.append(f"{name}, round {number}, worker {worker}: {answer}")
    found.slowest = caller.slowest
    return found


def played(caller: Caller, kind: Kind, worker: int, value: bool | str) -> str:  # noqa: FBT001 - what a kind changes to
    """Change something and call at once; the answer, if it does not know the change."""
    kind.change(value)
    status, body = caller.call(worker, kind.asked())
    if isinstance(value, str):
        right = status == ALLOWED and body["result"]["content"][1]["text"] == f"Bearer {value}"
    elif value:
        right = status == ALLOWED
    else:
        right = (status, body.get("code")) == kind.refused
    return "" if right else f"{status} {body}"


if __name__ == "__main__":
    made = run(msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan))
    sys.stdout.buffer.write(msgspec.json.encode(made))
