"""Exact JSON: what policy saw is what is sent.

One parser and one serialiser for everything that crosses the wire (RFC 8259). Stricter than most:
NaN and infinities, invalid UTF-8, lone surrogates and nesting beyond 64 are refused; integers keep
every digit; of duplicate names the last wins.
"""

import json
import re
from typing import Any

import orjson

JSON = Any  # object, array, string, number, boolean or null
MAX_DEPTH = 64
_NESTED = frozenset({dict, list})

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_TO_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_BEYOND_64_BITS = b"0" * 19  # as so many digits look when all are zeros: no expression is as fast


class WireError(ValueError):
    """Bytes that are not the JSON we accept; ``code`` is ``malformed_json`` or ``too_deep``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def loads(body: bytes) -> JSON:
    """Parse ``body``; raises WireError."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        code = "too_deep" if str(error).startswith("depth limit") else "malformed_json"
        raise WireError(code, str(error)) from None
    # Every level of depth costs a bracket: most bodies have too few to need a walk.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and depth(value) > MAX_DEPTH:
        raise WireError("too_deep", f"JSON is nested deeper than {MAX_DEPTH} levels")
    # orjson turns integers beyond 64 bits into floats; the standard library keeps them.
    return json.loads(body) if _BEYOND_64_BITS in body.translate(_TO_ZEROS) else value


def dumps(value: JSON) -> bytes:
    """Serialise ``value`` compactly, as UTF-8."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # an integer beyond 64 bits
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()


def holds_nul(body: bytes) -> bool:
    """Whether a text in serialised JSON holds NUL, which PostgreSQL's JSON cannot."""
    return b"\\u0000" in body and _NUL.search(body) is not None


def without_nul(body: bytes) -> bytes:
    """Serialised JSON with the replacement character (U+FFFD) for each NUL."""
    return _NUL.sub(rb"\1\\ufffd", body) if b"\\u0000" in body else body


def depth(value: JSON) -> int:
    """How many arrays and objects stand inside each other; a scalar has depth 0."""
    level, deepest = [value] if type(value) in _NESTED else [], 0
    while level:
        deepest += 1
        level = [
            child
            for item in level
            for child in (item.values() if type(item) is dict else item)
            if type(child) in _NESTED
        ]
    return deepest
