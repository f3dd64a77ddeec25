"""Patterns of actions and targets, as rules write them."""

import re
from dataclasses import dataclass
from functools import lru_cache

from agentxsuite.engines.pdp.characters import canonical
from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.engines.pdp.targets import EVERYTHING, second_segment_key, split_target
from agentxsuite.wire import JSON

MAX_ACTION = 128

_IDENT = r"[A-Za-z][A-Za-z0-9_-]*"
_ACTION = re.compile(rf"\*|{_IDENT}(?:\.{_IDENT})*(?:\.\*)?")
_DEEP = "**"


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment of a pattern: a literal, or the beginning of one (``abc*``, ``*``)."""

    text: str
    prefix: bool

    def covers(self, segment: str) -> bool:
        """Whether ``segment`` is what this piece describes."""
        return segment.startswith(self.text) if self.prefix else segment == self.text


@dataclass(frozen=True, slots=True)
class TargetPattern:
    """A target pattern in two halves: ``key``, which the index compares, and what it cannot.

    ``rest`` pairs a position with the piece that must stand there; ``deep`` allows segments beyond
    ``count``.
    """

    key: str
    count: int
    deep: bool
    rest: tuple[tuple[int, Piece], ...]

    def covers(self, segments: tuple[str, ...]) -> bool:
        """Whether a target filed under ``key`` is covered."""
        length = len(segments)
        if length < self.count or (length > self.count and not self.deep):
            return False
        return not self.rest or all(piece.covers(segments[at]) for at, piece in self.rest)


def parse_action(text: JSON) -> str:
    """An action pattern as it is; raises Refused.

    Patterns of actions need no other form: see ``covering_actions``.
    """
    if not isinstance(text, str) or len(text) > MAX_ACTION or not _ACTION.fullmatch(text):
        raise Refused("bad_action", "an action is *, or words joined by dots, then maybe .*")
    return text


@lru_cache(4096)
def parse_target(text: str) -> TargetPattern:
    """Parse a target pattern; raises Refused."""
    if text == EVERYTHING:
        return TargetPattern(EVERYTHING, 0, deep=True, rest=())
    kind, raw = split_target(text)
    deep = raw == [EVERYTHING] or raw[-1] == _DEEP
    pieces = [_piece(segment) for segment in (raw[:-1] if deep else raw)]
    key, fixed = _filed(kind, pieces)
    rest = [(at, piece) for at, piece in enumerate(pieces) if at not in fixed and piece != _ONE]
    return TargetPattern(key, len(pieces), deep, tuple(rest))


def parse_namespace(text: str) -> str:
    """The canonical form of a ``resource_ns`` scope: whole literal segments; raises Refused."""
    pieces = [_piece(segment) for segment in text.split("/")]
    if any(piece.prefix for piece in pieces):
        raise Refused("bad_namespace", "a namespace has no wildcards")
    return "/".join(piece.text for piece in pieces)


_ONE = Piece("", prefix=True)


def _piece(segment: str) -> Piece:
    literal, star, behind = segment.partition("*")
    if behind:
        raise Refused("bad_wildcard", "a * ends its segment, and ** is the last segment")
    if star and not literal:
        return _ONE
    return Piece(canonical(literal), prefix=bool(star))


def _filed(kind: str, pieces: list[Piece]) -> tuple[str, range]:
    """Under which key a pattern is filed, and which positions that key already compares."""
    literals = 0
    while literals < len(pieces) and not pieces[literals].prefix:
        literals += 1
    if literals:
        return f"{kind}:" + "/".join(piece.text for piece in pieces[:literals]), range(literals)
    if len(pieces) > 1 and not pieces[1].prefix:
        return second_segment_key(kind, pieces[1].text), range(1, 2)
    return kind, range(0)
