"""`key=value` words into a tool's arguments, typed as its schema says."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from agentxsuite import wire
from agentxsuite.cli.failures import Misused
from agentxsuite.wire import JSON

NUMBERS: Final = {"integer": (int,), "number": (int, float)}
TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    **NUMBERS,
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


def arguments(words: Iterable[str], schema: Any) -> dict[str, JSON]:
    """Return the arguments that words say; raises Misused.

    `key=value` is of the type that the schema gives the key, `key:=json` is JSON as it stands; a
    key of an array may be repeated.
    """
    found: dict[str, JSON] = {}
    for word in words:
        key, value = read(word, schema)
        listed = isinstance(found.get(key), list) and isinstance(value, list)
        if key in found and not listed:
            raise Misused(f"{key} is given twice")
        found[key] = [*found[key], *value] if listed else value
    return found


def read(word: str, schema: Any) -> tuple[str, JSON]:
    """Take one word apart; raises Misused."""
    key, equals, text = word.partition("=")
    if not equals or not key.rstrip(":"):
        raise Misused(f"{word!r}: expected key=value, or key:=json")
    if key.endswith(":"):
        return key[:-1], parsed(key[:-1], text)
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return key, typed(key, text, properties.get(key))


def typed(key: str, text: str, said: Any) -> JSON:
    """Return a value as its schema wants it; what the schema does not say stays text."""
    kinds = kinds_of(said)
    if kinds and kinds != {"string"}:
        value = guessed(text)
        if any(is_a(value, kind) for kind in kinds - {"string"}):
            return value
        if "array" in kinds:
            return [typed(key, text, said.get("items"))]
    if not kinds or "string" in kinds:
        return text
    raise Misused(f"{key}={text}: expected {' or '.join(sorted(kinds))}", f"{key}:=JSON")


def kinds_of(said: Any) -> set[str]:
    """Return the types that a schema names, by itself or in its alternatives."""
    if not isinstance(said, dict):
        return set()
    named = said.get("type", [])
    kinds = {named} if isinstance(named, str) else {each for each in named if isinstance(each, str)}
    for alternatives in ("anyOf", "oneOf"):
        for each in said.get(alternatives) or ():
            kinds |= kinds_of(each)
    return kinds


def is_a(value: JSON, kind: str) -> bool:
    """Whether a JSON value is of a type of JSON Schema; a boolean is no number."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES.get(kind, ()))


def parsed(key: str, text: str) -> JSON:
    """Return JSON as it stands; raises Misused."""
    try:
        return wire.loads(text.encode())
    except wire.WireError as error:
        raise Misused(f"{key}:={text}: not JSON: {error.detail}") from None


def guessed(text: str) -> JSON:
    """Return what a text is as JSON, and itself where it is none."""
    try:
        return wire.loads(text.encode())
    except wire.WireError:
        return text
