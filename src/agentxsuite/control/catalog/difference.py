"""What a new definition says that the approved one did not, field by field. Pure.

For a reviewer: whatever differs is in the answer, and what cannot be seen is spelled out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from agentxsuite.control.catalog.listing import canonical_json
from agentxsuite.wire import JSON

MOST: Final = 500  # changes told one by one; beyond that whole fields are
LONGEST: Final = 1_000  # characters of a path; below that nothing is taken apart
AROUND: Final = 40  # equal characters shown on each side of a change

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Passage:
    """The part of a text that differs, between a little of what stayed the same."""

    lead: str
    removed: str
    added: str
    tail: str


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `kind` is added, removed or changed, `path` a JSON Pointer (RFC 6901)."""

    path: str
    kind: str
    before: JSON
    after: JSON
    text: Passage | None


def difference(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> list[Change]:
    """Return every difference between two definitions, in the order of their fields.

    Where there are very many, the fields of the definition are told whole.
    """
    fine = list(islice(_between("", before, after, deep=True), MOST + 1))
    return fine if len(fine) <= MOST else list(_between("", before, after, deep=False))


def visible(text: str) -> str:
    r"""Spell out what a reader would not see: `\u{200b}`; line breaks stay."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\n" else f"\\u{{{ord(each):x}}}" for each in text
    )


def _between(path: str, before: Any, after: Any, *, deep: bool) -> Iterator[Change]:
    if _same(before, after):
        return
    below = _members(before, after) if not path or (deep and len(path) < LONGEST) else None
    if below is None:
        yield _change(path, before, after)
        return
    for name, old, new in below:
        step = name.replace("~", "~0").replace("/", "~1")
        yield from _between(f"{path}/{step}", old, new, deep=deep)


def _members(before: Any, after: Any) -> list[tuple[str, Any, Any]] | None:
    """The parts of two values that can be compared one by one; None where they cannot."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = [*before, *(name for name in after if name not in before)]
        return [(each, before.get(each, _ABSENT), after.get(each, _ABSENT)) for each in names]
    if _structured(before) and _structured(after):
        longest = range(max(len(before), len(after)))
        return [(str(at), _at(before, at), _at(after, at)) for at in longest]
    return None


def _structured(value: Any) -> bool:
    """Whether this is a list of more than words and numbers, which are told whole."""
    return isinstance(value, list) and any(isinstance(each, dict | list) for each in value)


def _at(values: list[JSON], place: int) -> Any:
    return values[place] if place < len(values) else _ABSENT


def _same(before: Any, after: Any) -> bool:
    """Whether both are the same JSON: true is not 1, and the order of names does not count."""
    if before is _ABSENT or after is _ABSENT:
        return before is after
    return canonical_json({"": before}) == canonical_json({"": after})


def _change(path: str, before: Any, after: Any) -> Change:
    kind = "added" if before is _ABSENT else "removed" if after is _ABSENT else "changed"
    old, new = (None if each is _ABSENT else each for each in (before, after))
    return Change(path, kind, old, new, _passage(old, new))


def _passage(before: JSON, after: JSON) -> Passage | None:
    """Where two texts part and meet again; a text alone is new from end to end."""
    old, new = before or "", after or ""
    if not isinstance(old, str) or not isinstance(new, str) or not old + new:
        return None
    start = _shared(old, new)
    end = _shared(old[start:][::-1], new[start:][::-1])
    return Passage(
        lead=visible(old[max(0, start - AROUND) : start]),
        removed=visible(old[start : len(old) - end]),
        added=visible(new[start : len(new) - end]),
        tail=visible(old[len(old) - end :][:AROUND]),
    )


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
