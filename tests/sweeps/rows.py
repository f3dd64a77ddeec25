"""The rows of `rows.yaml`, and the requests that are made of them."""

import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PAGE = Path(__file__).with_name("rows.yaml")
ELSEWHERE = Path(__file__).with_name("elsewhere.yaml")
REFERENCE = re.compile(r"\$([a-z_]+)")
LADDER = ("owner", "admin", "operator", "viewer", "auditor")
READS = {"GET", "HEAD", "OPTIONS"}

Refs = Mapping[str, str]
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Row:
    """A valid request, who may make it, and what it leaves; fields as `rows.yaml` tells."""

    method: str
    path: str
    who: str
    body: Any = None
    filters: Mapping[str, str] = field(default_factory=dict)
    event: str = ""
    hidden: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    foreign: int = 400
    fresh: bool = False
    live: bool = False
    once: bool = False
    agents: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def route(self) -> tuple[str, str]:
        """The method, and the path with nameless parameters."""
        return self.method, REFERENCE.sub("{}", re.sub(r"/\d+/", "/{}/", self.path))

    @property
    def in_path(self) -> tuple[str, ...]:
        """The names of what the path names."""
        return tuple(REFERENCE.findall(self.path))

    @property
    def in_body(self) -> tuple[Place, ...]:
        """The places in the body that name something."""
        return tuple(places(self.body))

    def may(self, role: str) -> bool:
        """Whether a member of this role may; SYSTEM 15, in words of its own."""
        if self.who in {"public", "anyone", "auditor"}:
            return True
        return role in LADDER[: LADDER.index(self.who) + 1]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place in a body where a $name stands, however deep."""
    if isinstance(value, str) and REFERENCE.fullmatch(value):
        yield at
    elif isinstance(value, dict | list):
        for step, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(each, (*at, step))


def put(value: Any, at: Place, new: str) -> Any:
    """The same with something else at one place."""
    if not at:
        return new
    copied = copy(value)
    copied[at[0]] = put(value[at[0]], at[1:], new)
    return copied


def name_at(value: Any, at: Place) -> str:
    """The name that stands at a place of a body."""
    for step in at:
        value = value[step]
    return str(value).removeprefix("$")


def filled(value: Any, refs: Refs) -> Any:
    """The same with what the names stand for."""
    if isinstance(value, str):
        return REFERENCE.sub(lambda found: refs[found[1]], value)
    if isinstance(value, list):
        return [filled(each, refs) for each in value]
    if isinstance(value, dict):
        return {name: filled(each, refs) for name, each in value.items()}
    return value


@cache
def rows() -> tuple[Row, ...]:
    """Every row."""
    found = yaml.safe_load(PAGE.read_text())
    return tuple(row(key, facts) for key, facts in found.items())


@cache
def elsewhere() -> dict[tuple[str, str], list[str]]:
    """Routes that no login token opens, and the tests that try them from outside."""
    found = yaml.safe_load(ELSEWHERE.read_text()) or {}
    return {row(key, {"who": "public"}).route: tests for key, tests in found.items()}


def row(key: str, facts: dict[str, Any]) -> Row:
    method, path = key.split(" ", 1)
    lists = {name: tuple(facts[name]) for name in ("hidden", "secret") if name in facts}
    return Row(method, path, **{**facts, **lists})
