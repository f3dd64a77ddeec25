"""Arguments that a tool wants to see in HTTP headers too (``x-mcp-header``, MCP 2026-07-28). Pure.

A tool's input schema may mark properties, reachable by ``properties`` alone, whose values an
intermediary may want to route by; the request then repeats them as ``Mcp-Param-<mark>``.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from agentxsuite.wire import JSON

Mirrors = tuple[tuple[tuple[str, ...], str], ...]  # (path of the property, header name)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?", re.ASCII)
_WRAPPED = re.compile(r"=\?base64\?(.*)\?=")
_PLAIN = re.compile(r"(?!=\?base64\?.*\?=$)(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?")


def find(schema: JSON) -> Mirrors:
    """The marked properties of an input schema."""
    return tuple(_marked(schema, ()))


def headers(mirrors: Mirrors, arguments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The headers that repeat these arguments; a missing one has none."""
    found = ((name, _rendered(_at(arguments, path))) for path, name in mirrors)
    return tuple((name, encoded(text)) for name, text in found if text is not None)


def contradicted(
    mirrors: Mirrors, arguments: Mapping[str, Any], given: Mapping[bytes, bytes]
) -> str | None:
    """The first header that says something else than these arguments; None where all agree.

    ``given`` is by names in lower case. An argument that is missing has no header.
    """
    for path, name in mirrors:
        if not _agree(_at(arguments, path), given.get(name.lower().encode())):
            return name
    return None


def encoded(text: str) -> str:
    """``text`` as a header value; in base64 where HTTP would not bring it over unharmed."""
    if _PLAIN.fullmatch(text):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def decoded(value: str) -> str | None:
    """What ``encoded`` made a header value of; None for base64 that is none."""
    wrapped = _WRAPPED.fullmatch(value)
    if wrapped is None:
        return value
    try:
        return base64.b64decode(wrapped[1], validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _agree(value: JSON, header: bytes | None) -> bool:
    """Whether a header says an argument's value; numbers may be spelled otherwise."""
    expected = _rendered(value)
    if expected is None or header is None:
        return expected is None and header is None
    told = decoded(header.decode("latin-1"))
    if told == expected or told is None or isinstance(value, str):
        return told == expected
    both_numbers = _NUMBER.fullmatch(told) and _NUMBER.fullmatch(expected)
    return bool(both_numbers) and Decimal(told) == Decimal(expected)


def _marked(schema: JSON, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return
    for name, below in properties.items():
        mark = below.get("x-mcp-header") if isinstance(below, dict) else None
        if isinstance(mark, str) and _TOKEN.fullmatch(mark):
            yield (*path, name), f"Mcp-Param-{mark}"
        yield from _marked(below, (*path, name))


def _at(arguments: JSON, path: tuple[str, ...]) -> JSON:
    for name in path:
        if not isinstance(arguments, Mapping):
            return None
        arguments = arguments.get(name)
    return arguments


def _rendered(value: JSON) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None
