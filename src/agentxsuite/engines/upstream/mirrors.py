"""Arguments that a tool wants to see in HTTP headers too (``x-mcp-header``, MCP 2026-07-28). Pure.

A tool's input schema may mark properties, reachable by ``properties`` alone, whose values an
intermediary may want to route by; the request then repeats them as ``Mcp-Param-<mark>``.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agentxsuite.wire import JSON

Mirrors = tuple[tuple[tuple[str, ...], str], ...]  # (path of the property, header name)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_PLAIN = re.compile(r"(?!=\?base64\?.*\?=$)(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?")


def find(schema: JSON) -> Mirrors:
    """The marked properties of an input schema."""
    return tuple(_marked(schema, ()))


def headers(mirrors: Mirrors, arguments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The headers that repeat these arguments; a missing one has none."""
    found = ((name, _rendered(_at(arguments, path))) for path, name in mirrors)
    return tuple((name, text) for name, text in found if text is not None)


def encoded(text: str) -> str:
    """``text`` as a header value; in base64 where HTTP would not bring it over unharmed."""
    if _PLAIN.fullmatch(text):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


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
        return encoded(str(value))
    return None
