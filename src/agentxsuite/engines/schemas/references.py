"""Where a schema's references lead: never out of the schema."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from agentxsuite.engines.schemas.verdicts import SchemaRefused
from agentxsuite.wire import JSON

REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS: Final = ("$anchor", "$dynamicAnchor")
_INDEX = re.compile("0|[1-9][0-9]{0,8}")


class References:
    """Finds what a local reference of ``root`` means."""

    def __init__(self, root: JSON) -> None:
        self._root = root
        self._anchors: dict[str, list[JSON]] = {}
        for name, place in _anchored(root):
            self._anchors.setdefault(name, []).append(place)

    def targets(self, reference: str) -> list[JSON]:
        """The subschemas that may be meant (an anchor may be several); raises SchemaRefused."""
        if not reference.startswith("#"):
            raise SchemaRefused("schema_remote_ref", f"not a local reference: {reference[:100]!r}")
        fragment = unquote(reference[1:])
        if fragment and not fragment.startswith("/"):
            found = self._anchors.get(fragment, [])
        else:
            found = list(at(self._root, steps(reference)))
        if not found:
            raise SchemaRefused("schema_unresolved_ref", f"leads nowhere: {reference[:100]!r}")
        return found


def steps(reference: str) -> tuple[str, ...]:
    """The steps of a reference that is ``#`` and an RFC 6901 pointer."""
    names = unquote(reference[1:]).split("/")[1:]
    return tuple(name.replace("~1", "/").replace("~0", "~") for name in names)


def at(place: JSON, steps: tuple[str, ...]) -> Iterator[JSON]:
    """What those steps lead to, if it is there."""
    for name in steps:
        if isinstance(place, dict) and name in place:
            place = place[name]
        elif isinstance(place, list) and _INDEX.fullmatch(name) and int(name) < len(place):
            place = place[int(name)]
        else:
            return
    yield place


def _anchored(value: JSON) -> Iterator[tuple[str, JSON]]:
    if isinstance(value, dict):
        for keyword in _ANCHORS:
            if isinstance(name := value.get(keyword), str):
                yield name, value
        identity = value.get("$id")
        if isinstance(identity, str) and identity.startswith("#"):  # an anchor in drafts 6 and 7
            yield identity[1:], value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _anchored(item)
