"""One run: every operation, asked by everybody, and what was found."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import requests
import schemathesis
from schemathesis import Case

from tests.fuzz.cases import Cases
from tests.fuzz.judge import DOCUMENT, faults
from tests.fuzz.stage import staged
from tests.fuzz.world import World

REDIRECTS: Final = 300  # and beyond: not done
OWN_LOGIN: Final = "/api/v1/auth/"  # who changes what is theirs is needed for nothing else
UNREACHED: Final = 0.1  # of all operations: some want a browser first
SYSTEM, MCP = "/api/v1/system/", "/mcp/"
OWN: Final = {"auth_logout": "leaver"}


@dataclass(frozen=True)
class Size:
    """How much is asked: one edge in so many, so many at most, so many examples of each mode."""

    every: int
    examples: int
    most: int | None = None


SHORT: Final = Size(every=20, examples=2)
LONG: Final = Size(every=1, examples=20)


@dataclass
class Run:
    """What is asked, by whom, and what came of it."""

    size: Size
    names: Sequence[str] = ()
    findings: dict[tuple[str, str], str] = field(default_factory=dict)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    first: dict[str, list[bytes]] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)

    def play(self, *, postgres: bool) -> None:
        """Start everything and ask."""
        with staged(postgres=postgres) as stage, requests.Session() as self.session:
            self.world = World(stage)
            self.url = stage.url
            for operation in self.chosen():
                self.about(Cases(self.world, operation))
            if self.findings:
                sys.stderr.write(stage.log.read_text()[-6000:])

    def chosen(self) -> list[Any]:
        """The operations; those that a flood shuts come last."""
        schema = schemathesis.openapi.from_dict(without_logins(DOCUMENT))
        found = [each.ok() for each in schema.get_all_operations()]
        names = self.names or [each.definition.raw["operationId"] for each in found]
        found = [each for each in found if each.definition.raw["operationId"] in names]
        return sorted(found, key=lambda each: each.path.startswith(OWN_LOGIN))

    def about(self, cases: Cases) -> None:
        """Everything about one operation."""
        self.operations.append(cases.name)
        cases.spent()
        first, *others = callers(cases)
        self.by(first, cases, self.size)
        for caller in others:
            self.by(caller, cases, self.less())

    def less(self) -> Size:
        """For callers who are refused most of it."""
        return Size(self.size.every, self.size.examples // 5, 3 if self.size is SHORT else None)

    def by(self, caller: str, cases: Cases, size: Size) -> None:
        """Ask as somebody; "" is nobody."""

        def ask(case: Case) -> None:
            self.ask(case, caller, cases)

        for case in chain(cases.good(), cases.edges(size.every, size.most)):
            ask(case)
        if size.examples:
            cases.drawn(ask, size.examples)

    def ask(self, case: Case, caller: str, cases: Cases) -> None:
        """Ask once, and note what came back."""
        case.headers.pop("Authorization", None)
        headers = {"Authorization": f"Bearer {self.world.tokens[caller]}"} if caller else {}
        response = case.call(base_url=self.url, session=self.session, headers=headers)
        self.statuses[cases.name, response.status_code] += 1
        self.first.setdefault(cases.name, []).append(response.content[:300])
        for fault in faults(case, response, caller):
            sent = f"{response.request.method} {response.request.url} {response.request.body!r}"
            asked = f"{fault}\n    {sent[:1500]}\n    {response.content[:400]!r}"
            self.findings.setdefault((cases.name, fault[:60]), asked)
        if response.status_code < REDIRECTS:
            self.taken(case, caller, cases)

    def taken(self, case: Case, caller: str, cases: Cases) -> None:
        """What was asked has been done: some of it cannot be done twice."""
        if case.method == "DELETE" or cases.name.endswith("_revoke"):
            cases.spent()
        if cases.name == "auth_logout":
            self.world.come_back(caller)

    @property
    def blind(self) -> bool:
        """Whether too little of the API was reached to say anything of it."""
        return len(self.unreached) > len(self.operations) * UNREACHED

    @property
    def unreached(self) -> list[str]:
        """Operations that never succeeded."""
        return [name for name in self.operations if not self.succeeded(name)]

    def succeeded(self, name: str) -> int:
        """How often an operation was done."""
        seen = self.statuses.items()
        return sum(times for (of, status), times in seen if of == name and status < REDIRECTS)

    def report(self) -> Iterator[str]:
        """What was found, and which operations never succeeded."""
        for (name, _), told in self.findings.items():
            yield f"{name}: {told}"
        for name in self.unreached:
            seen = {status: times for (of, status), times in self.statuses.items() if of == name}
            yield f"{name}: never done, only {seen}; at first {self.first[name][:2]}"

    def summary(self) -> str:
        """The run in one line."""
        reached = len(self.operations) - len(self.unreached)
        asked = self.statuses.total()
        done = f"{reached} of {len(self.operations)} operations done at least once"
        return f"{asked} requests, {done}, {len(self.findings)} findings"


def callers(cases: Cases) -> Iterator[str]:
    """Who asks an operation: first whoever it is made for; "" is nobody."""
    path: str = cases.operation.path
    if path.startswith(OWN_LOGIN):
        yield OWN.get(cases.name, "changer")
    elif path.startswith(SYSTEM):
        yield from ("operator", "owner")
    elif MCP in path:
        yield "agent"
    else:
        yield "owner"
        if cases.name == "orgs_runs_execute":
            yield "agent"
    yield from ("viewer", "")


def without_logins(description: dict[str, Any]) -> dict[str, Any]:
    """The description, but who asks is told by this run and not drawn by chance."""
    bare = deepcopy(description)
    for item in bare["paths"].values():
        for operation in item.values():
            operation.pop("security", None)
    return bare
