"""Paths into a request: ``input.amount``, ``input["any name"]``, ``principal.roles[0]``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache

from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.wire import JSON, WireError, loads

ROOTS = frozenset({"input", "principal", "env", "tool", "request", "context"})
MAX_PATH = 512

_STEP = re.compile(
    r"""
    \.(?P<name>[A-Za-z_][A-Za-z0-9_-]*)
    | \[(?P<index>0|[1-9][0-9]{0,5})\]
    | \[(?P<quoted>"(?:[^"\\]|\\.)*")\]
    """,
    re.VERBOSE,
)
_ROOT = re.compile(r"[a-z]+")
_CLOCKS = frozenset({("request", ("time",)), ("context", ("time",))})


class Absent(Enum):
    """Why a path leads to no value."""

    MISSING = "missing_path"
    MISPLACED = "wrong_type"  # a step into something that has no such steps
    UNKNOWN = "unknown_input"  # a list does not know the input


class Facts:
    """The document that paths lead into: a request's attributes, its input, and the instant."""

    __slots__ = ("at", "roots")

    def __init__(self, attributes: Mapping[str, JSON], input_: JSON, at: datetime) -> None:
        self.roots: dict[str, JSON] = {**attributes, "input": input_}
        self.at = at

    def time(self) -> str:
        """The instant as an RFC 3339 string in UTC."""
        return self.at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path; ``text`` is as written. A ``clock`` path falls back on the instant."""

    text: str
    root: str
    steps: tuple[str | int, ...]
    clock: bool

    def find(self, facts: Facts) -> JSON | Absent:
        """The value there, or why there is none."""
        value: JSON = facts.roots.get(self.root)
        for step in self.steps:
            kind = type(value)
            if kind is dict and type(step) is str:
                value = value.get(step, Absent.MISSING)
            elif kind is list and type(step) is int:
                value = value[step] if step < len(value) else Absent.MISSING
            else:
                value = _stuck(value)
        if value is Absent.MISSING and self.clock:
            return facts.time()
        return value


def _stuck(value: JSON | Absent) -> Absent:
    if isinstance(value, Absent):
        return value
    return Absent.MISSING if value is None else Absent.MISPLACED


def parse_path(text: JSON, roots: frozenset[str] = ROOTS) -> Path:
    """Parse a root and the steps after it; raises Refused."""
    if not isinstance(text, str) or len(text) > MAX_PATH:
        raise Refused("bad_path", f"a path is a string of at most {MAX_PATH} characters")
    return _parsed(text, roots)


@lru_cache(1024)
def _parsed(text: str, roots: frozenset[str]) -> Path:
    head = _ROOT.match(text)
    if head is None or head.group() not in roots:
        raise Refused("unknown_root", f"a path starts with one of {', '.join(sorted(roots))}")
    steps = tuple(_steps(text, head.end()))
    return Path(text, head.group(), steps, (head.group(), steps) in _CLOCKS)


def _steps(text: str, position: int) -> list[str | int]:
    steps: list[str | int] = []
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise Refused("bad_path", f'at character {position}: expected .name, ["name"] or [n]')
        steps.append(_step(match))
        position = match.end()
    return steps


def _step(match: re.Match[str]) -> str | int:
    name, index, quoted = match.group("name", "index", "quoted")
    if name is not None:
        return str(name)
    if index is not None:
        return int(index)
    try:
        return str(loads(quoted.encode()))
    except (WireError, UnicodeEncodeError):
        raise Refused("bad_path", f"not a JSON string: {quoted!r}") from None
