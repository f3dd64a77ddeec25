"""A program: changes a fact, calls at once by any worker, and looks whether the answer knows it.

``python -m tests.faults.rounds`` reads its plan as JSON from its input, then numbers of rounds, and
after each prints what it found.
"""

import random
import secrets
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
    """In which organization, through which workers, to which upstream."""

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
    """Calls any worker, over a new connection each time."""

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
        line.close()  # a worker lets go of one that is silent for long
        self.slowest = max(self.slowest, time.monotonic() - began)
        return answer.status, read


def main() -> None:
    """Make what is to be changed; then, for each number in a line, play so many rounds."""
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    company = Company(plan.organization, plan.environment, plan.upstream)
    caller, kinds = Caller(plan), company.kinds()
    chance = random.Random(plan.seed)  # noqa: S311  # an order, not a secret
    on = dict.fromkeys(kinds, True)
    for line in sys.stdin:
        found = Found(dict.fromkeys(kinds, 0), [], 0.0)
        for number in range(int(line)):
            name = list(kinds)[number % len(kinds)]
            worker = chance.randrange(len(plan.urls))
            on[name] = not on[name]
            value = secrets.token_hex(8) if name == SECRET else on[name]
            found.rounds[name] += 1
            if answer := played(caller, kinds[name], worker, value):
                found.stale.append(f"{name}, round {number}, worker {worker}: {answer}")
        found.slowest, caller.slowest = caller.slowest, 0.0
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
        sys.stdout.buffer.flush()


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
    main()
