"""How much work a schema can cause at worst, so that no check takes long.

A schema of a few lines can ask for 2**64 comparisons: references that double at every step, or
``unevaluatedProperties`` inside each other. The survey bounds, for any single place in a value, the
time of everything a schema may test there. The value's size times that bound is the check's.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from agentxsuite import wire
from agentxsuite.engines.schemas.patterns import steepness
from agentxsuite.engines.schemas.references import REFERENCES, References
from agentxsuite.engines.schemas.size import is_big
from agentxsuite.engines.schemas.verdicts import SchemaRefused
from agentxsuite.wire import JSON

TEST: Final = 0.05  # microseconds for one subschema at one place (measured: 0.02 to 0.03)
UNIQUE: Final = 0.5  # for hashing one element under uniqueItems
OPTION_BYTE: Final = 0.05  # for a byte of an enum or const that is compared one by one
AGAIN: Final = 3  # an unevaluated* keyword tests everything beside it anew, more than twice
MAX_STEPS: Final = 100  # subschemas inside each other, references followed

_SIDE_BY_SIDE: Final = ("allOf", "anyOf", "oneOf")  # tested at the same place
_SAME_PLACE: Final = ("not", "if", "then", "else")
_DEPENDENT: Final = ("dependentSchemas", "dependencies")
_EVERY: Final = (
    "additionalProperties", "unevaluatedProperties", "propertyNames",
    "items", "additionalItems", "contains", "unevaluatedItems",
)  # fmt: skip


class Cost(NamedTuple):
    """Microseconds at one place: for the value there, and for each character of a text there."""

    value: float
    character: float

    def plus(self, other: "Cost") -> "Cost":
        """Both, one after the other."""
        return Cost(self.value + other.value, self.character + other.character)

    def times(self, factor: float) -> "Cost":
        """So many times."""
        return Cost(self.value * factor, self.character * factor)

    def worse(self, other: "Cost") -> "Cost":
        """The worse in each respect."""
        return Cost(max(self.value, other.value), max(self.character, other.character))


FREE: Final = Cost(0.0, 0.0)


class Survey:
    """Visits every subschema that a check could reach; raises SchemaRefused."""

    def __init__(self, root: JSON) -> None:
        self._root = root
        self._references = References(root)
        self._known: dict[int, Cost] = {}
        self._open: set[int] = set()
        self.recursive = False  # whether a subschema leads back to itself
        self.total = self.cost(root)

    def cost(self, schema: JSON) -> Cost:
        """The worst that ``schema`` costs at any one place of a value."""
        if not isinstance(schema, dict):
            return FREE
        if id(schema) in self._open:  # for a verdict, the engine remembers its answer at each place
            self.recursive = True
            return Cost(TEST, 0.0)
        if id(schema) not in self._known:
            self._enter(schema)
            self._known[id(schema)] = self._sum(schema)
            self._open.remove(id(schema))
        return self._known[id(schema)]

    def _enter(self, schema: dict[str, JSON]) -> None:
        self._open.add(id(schema))
        if len(self._open) > MAX_STEPS:
            raise SchemaRefused("schema_too_deep", f"more than {MAX_STEPS} steps of references")
        identity = schema.get("$id", schema.get("id"))
        if schema is not self._root and isinstance(identity, str) and identity[:1] != "#":
            raise SchemaRefused("schema_nested_id", "only the schema as a whole may have an $id")

    def _sum(self, schema: dict[str, JSON]) -> Cost:
        """An upper bound: the worst of here and below, and all that is tested at the same place."""
        below = FREE
        for member in _one_of_many(schema):
            below = below.worse(self.cost(member))
        for member in _every(schema):
            below = below.plus(self.cost(member))
        total = _own(schema).worse(below)
        for member in _same_place(schema):
            total = total.plus(self.cost(member))
        for reference in self._referred(schema):
            total = total.plus(self.cost(reference))
        again = "unevaluatedProperties" in schema or "unevaluatedItems" in schema
        return total.times(AGAIN if again else 1)

    def _referred(self, schema: dict[str, JSON]) -> Iterator[JSON]:
        for keyword in REFERENCES:
            if isinstance(reference := schema.get(keyword), str):
                yield from self._references.targets(reference)


def _own(schema: dict[str, JSON]) -> Cost:
    """The keywords of this subschema that look at the value themselves."""
    named = schema.get("patternProperties")
    patterns = list(named) if isinstance(named, dict) else []
    options = _items(schema.get("enum"))
    value = TEST * (1 + len(patterns)) + _comparison(options) + _comparison([schema.get("const")])
    if schema.get("uniqueItems") is True:
        value += UNIQUE
    if isinstance(pattern := schema.get("pattern"), str):
        patterns.append(pattern)
    return Cost(value, sum(steepness(pattern) for pattern in patterns))


def _comparison(options: list[JSON]) -> float:
    """Scalars of one kind are hashed; others are compared one by one, by all their content."""
    kinds = {type(option) for option in options}
    if len(kinds) <= 1 and not kinds & {dict, list} and not any(map(is_big, options)):
        return 0.0
    return len(wire.dumps(options)) * OPTION_BYTE


def _same_place(schema: dict[str, JSON]) -> Iterator[JSON]:
    for keyword in _SIDE_BY_SIDE:
        yield from _items(schema.get(keyword))
    for keyword in _SAME_PLACE:
        yield schema.get(keyword)
    for keyword in _DEPENDENT:
        yield from _members(schema.get(keyword))


def _one_of_many(schema: dict[str, JSON]) -> Iterator[JSON]:
    yield from _members(schema.get("properties"))
    yield from _items(schema.get("prefixItems"))
    yield from _items(schema.get("items"))


def _every(schema: dict[str, JSON]) -> Iterator[JSON]:
    yield from _members(schema.get("patternProperties"))
    for keyword in _EVERY:
        yield schema.get(keyword)


def _items(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def _members(value: JSON) -> list[JSON]:
    return list(value.values()) if isinstance(value, dict) else []
