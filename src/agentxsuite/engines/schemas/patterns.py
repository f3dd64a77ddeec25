"""What the regular expressions of a schema cost: linear in the text, but some lines are steep."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import jsonschema_rs

from agentxsuite.engines.schemas.verdicts import SchemaRefused
from agentxsuite.wire import JSON

MAX_PATTERNS: Final = 500  # in a schema
ALL_PROGRAMS: Final = 16_000_000  # bytes that the compiled patterns of a schema may take together
ALL_TABLES: Final = 16_000_000  # and the tables they build while matching
# Size of the compiled program in bytes -> microseconds a character, at worst (measured).
STEEPNESS: Final = {5_000: 0.1, 20_000: 0.5, 100_000: 6.0, 1_000_000: 50.0, 10_000_000: 200.0}


def patterns_of(schema: JSON) -> list[str]:
    """Every pattern anywhere in ``schema``; raises SchemaRefused when there are too many."""
    found = list(_patterns(schema))
    if len(found) > MAX_PATTERNS:
        raise SchemaRefused(
            "schema_too_many_patterns", f"{len(found)} patterns, at most {MAX_PATTERNS}"
        )
    return found


def options_for(patterns: int) -> jsonschema_rs.RegexOptions:
    """The linear engine, with each pattern's share of the memory."""
    share = max(1, patterns)
    return jsonschema_rs.RegexOptions(
        size_limit=min(ALL_PROGRAMS // share, max(STEEPNESS)), dfa_size_limit=ALL_TABLES // share
    )


@lru_cache(maxsize=4096)
def steepness(pattern: str) -> float:
    """Microseconds a character that ``pattern`` takes at worst; raises SchemaRefused."""
    for size, microseconds in STEEPNESS.items():
        if _compiles(pattern, size):
            return microseconds
    raise SchemaRefused(
        "schema_pattern", f"not a regular expression that runs in linear time: {pattern[:100]!r}"
    )


def _compiles(pattern: str, size: int) -> bool:
    options = jsonschema_rs.RegexOptions(size_limit=size)
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options)
    except jsonschema_rs.ValidationError:
        return False
    return True


def _patterns(value: JSON) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _patterns(item)
    if isinstance(value, dict):
        pattern, named = value.get("pattern"), value.get("patternProperties")
        if isinstance(pattern, str):
            yield pattern
        if isinstance(named, dict):
            yield from named
        for item in value.values():
            yield from _patterns(item)
