"""The kinds of JSON values: a boolean is no number, and NaN and infinities are nothing at all."""

from math import isfinite

from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.wire import JSON

STRING = "string"
NUMBER = "number"
BOOLEAN = "boolean"
NULL = "null"
ARRAY = "array"
OBJECT = "object"

SCALARS = frozenset({STRING, NUMBER, BOOLEAN, NULL})
MAX_LIST = 200

_KINDS: dict[type, str] = {
    str: STRING,
    int: NUMBER,
    bool: BOOLEAN,
    type(None): NULL,
    list: ARRAY,
    dict: OBJECT,
}


def kind_of(value: JSON) -> str | None:
    """Which kind of JSON value this is; None for what JSON does not have."""
    if type(value) is float:
        return NUMBER if isfinite(value) else None
    return _KINDS.get(type(value))


def expect(value: JSON, *kinds: str) -> str:
    """The kind of an operand, which must be one of ``kinds``; raises Refused."""
    kind = kind_of(value)
    if kind is None or kind not in kinds:
        raise Refused("bad_operand", f"value is one of: {', '.join(kinds)}")
    return kind


def expect_list(value: JSON) -> list[JSON]:
    """An operand that is a list of 1 to 200 scalars; raises Refused."""
    expect(value, ARRAY)
    if not 1 <= len(value) <= MAX_LIST:
        raise Refused("list_size", f"a list has 1 to {MAX_LIST} values")
    for item in value:
        expect(item, *sorted(SCALARS))
    return list(value)
