"""What a request is about: its action and its target, in the forms that the index looks up."""

from functools import lru_cache
from typing import NamedTuple

from agentxsuite.engines.pdp.characters import canonical
from agentxsuite.engines.pdp.problems import Refused

KINDS = frozenset({"tool", "agent", "connection", "resource", "prompt"})
MAX_TARGET = 4096
MAX_SEGMENTS = 64
EVERYTHING = "*"

_CACHED_LENGTH = 256  # a bound on what 4,096 remembered targets can weigh
_CACHED_TARGETS = 4096


class Target(NamedTuple):
    """A request's target.

    ``keys``: where rules that may cover it are filed; ``namespaces``: its ``resource_ns`` scopes.
    """

    segments: tuple[str, ...]
    keys: tuple[str, ...]
    namespaces: tuple[str, ...]


def split_target(text: str) -> tuple[str, list[str]]:
    """Kind and raw segments of ``kind:a/b``; raises Refused."""
    if len(text) > MAX_TARGET:
        raise Refused("too_long", f"a target has at most {MAX_TARGET} characters")
    kind, colon, path = text.partition(":")
    if not colon or kind not in KINDS:
        raise Refused("unknown_kind", f"a target starts with one of {', '.join(sorted(KINDS))}:")
    segments = path.split("/")
    if len(segments) > MAX_SEGMENTS:
        raise Refused("too_long", f"a target has at most {MAX_SEGMENTS} segments")
    return kind, segments


def read_target(text: str) -> Target:
    """Parse a request's target, in which nothing is a wildcard; raises Refused."""
    return _remembered(text) if len(text) <= _CACHED_LENGTH else _read(text)


def second_segment_key(kind: str, segment: str) -> str:
    """Where patterns are filed whose first segment is open and whose second is a literal."""
    return f"{kind}:*/{segment}"


def _read(text: str) -> Target:
    kind, raw = split_target(text)
    segments = tuple([canonical(segment) for segment in raw])
    paths = ["/".join(segments[:count]) for count in range(1, len(segments) + 1)]
    keys = [EVERYTHING, kind, *(f"{kind}:{path}" for path in paths)]
    if len(segments) > 1:
        keys.append(second_segment_key(kind, segments[1]))
    return Target(segments, tuple(keys), tuple(f"resource_ns:{path}" for path in paths))


_remembered = lru_cache(_CACHED_TARGETS)(_read)


@lru_cache(1024)
def covering_actions(action: str) -> tuple[str, ...]:
    """The only patterns that cover ``action``: itself, its parent's ``.*`` and ``*``."""
    parent, dot, _ = action.rpartition(".")
    return (action, f"{parent}.*", EVERYTHING) if dot else (action, EVERYTHING)
