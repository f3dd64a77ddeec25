"""Say what does not fit, without letting the saying cost more than the check.

jsonschema-rs collects every error, with all alternatives that it tried, before it shows the first:
a thousand times the cost of a verdict. So a value too large for that is first narrowed down, by
verdicts alone, to a part that does not fit by itself.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import quote

import jsonschema_rs

from agentxsuite import wire
from agentxsuite.engines.schemas.cost import TEST, Survey
from agentxsuite.engines.schemas.engine import SHOWN, compiled_part
from agentxsuite.engines.schemas.patterns import patterns_of
from agentxsuite.engines.schemas.references import at, steps
from agentxsuite.engines.schemas.size import Size
from agentxsuite.engines.schemas.verdicts import Violation
from agentxsuite.wire import JSON

MOST: Final = 20  # violations
NAMES_SHOWN: Final = 100  # characters, where a message repeats the caller's names
BUDGET: Final = 100_000.0  # microseconds that collecting errors may take
ERROR: Final = 70.0  # microseconds for one error (measured) ...
ERROR_BYTE: Final = 0.015  # ... and for each byte of the schema, which it may repeat
PATIENCE: Final = 4  # times the size of the whole value, to be spent on narrowing it down
DEEP: Final = 10  # levels that are beyond any budget, if each doubles the work

_NAMING: Final = frozenset({"additionalProperties", "unevaluatedProperties", "propertyNames"})


class Part(NamedTuple):
    """A part of the value, and the place of the subschema that it must fit."""

    place: tuple[str, ...]
    schema: JSON
    path: tuple[str | int, ...]
    value: JSON

    def under(self, schema: JSON, *place: str) -> "Part":
        """The same value, under a subschema."""
        return Part((*self.place, *place), schema, self.path, self.value)

    def child(self, schema: JSON, key: str | int, *place: str) -> "Part":
        """A member of the value, under a subschema."""
        return Part((*self.place, *place), schema, (*self.path, key), self.value[key])


def explain(
    schema: dict[str, JSON], validator: jsonschema_rs.Validator, survey: Survey, value: JSON
) -> tuple[Violation, ...]:
    """1 to 20 violations of a ``value`` that does not fit."""
    an_error = ERROR + ERROR_BYTE * len(wire.dumps(schema))
    narrowing = Narrowing(schema)
    part, size = Part((), schema, (), value), Size.of(value).values
    patience = PATIENCE * size
    while _tests(part.value, size, survey) * an_error > BUDGET:
        smaller = narrowing.smaller(part) if patience > 0 else None
        if smaller is None:
            return (Violation(_pointer(part.path), "schema", "does not fit the schema"),)
        patience -= size
        part, validator = smaller, narrowing.validator(smaller)
        size = Size.of(part.value).values
    errors = islice(validator.iter_errors(part.value), MOST)
    return tuple(_violation(part, error) for error in errors)


def _tests(value: JSON, size: int, survey: Survey) -> float:
    """How many subschemas are tested at worst, where no answer is remembered as for a verdict."""
    at_one_place = survey.total.value / TEST
    again = at_one_place ** min(wire.depth(value), DEEP) if survey.recursive else 1.0
    return size * at_one_place * again


class Narrowing:
    """Finds a part that does not fit by itself, by verdicts alone."""

    def __init__(self, schema: dict[str, JSON]) -> None:
        self._schema = schema
        self._patterns = len(patterns_of(schema))
        self._validators: dict[tuple[str, ...], jsonschema_rs.Validator] = {}

    def smaller(self, part: Part) -> Part | None:
        """The first smaller part that does not fit."""
        return next(
            (each for each in self._parts(part) if not self.validator(each).is_valid(each.value)),
            None,
        )

    def validator(self, part: Part) -> jsonschema_rs.Validator:
        """The validator of the subschema at the part's place."""
        if part.place not in self._validators:
            pointer = "".join(f"/{quote(_escaped(step), safe='~')}" for step in part.place)
            self._validators[part.place] = compiled_part(self._schema, pointer, self._patterns)
        return self._validators[part.place]

    def _parts(self, part: Part) -> Iterator[Part]:
        """Smaller questions, each of which must be answered with yes for the whole to fit."""
        schema = part.schema if isinstance(part.schema, dict) else {}
        reference = str(schema.get("$ref", ""))
        if reference.startswith("#/"):
            place = steps(reference)
            yield Part(place, next(at(self._schema, place)), part.path, part.value)
        for index, member in enumerate(schema.get("allOf", ())):
            yield part.under(member, "allOf", str(index))
        if isinstance(part.value, dict):
            yield from _properties(part, schema)
        if isinstance(part.value, list):
            yield from _elements(part, schema)


def _properties(part: Part, schema: dict[str, JSON]) -> Iterator[Part]:
    for name, member in schema.get("properties", {}).items():
        if name in part.value:
            yield part.child(member, name, "properties", name)


def _elements(part: Part, schema: dict[str, JSON]) -> Iterator[Part]:
    first = schema.get("prefixItems", ())
    for index, member in enumerate(first[: len(part.value)]):
        yield part.child(member, index, "prefixItems", str(index))
    if isinstance(rest := schema.get("items"), dict):
        for index in range(len(first), len(part.value)):
            yield part.child(rest, index, "items")


def _violation(part: Part, error: jsonschema_rs.ValidationError) -> Violation:
    keyword = error.kind.name
    most = NAMES_SHOWN if keyword in _NAMING else SHOWN
    return Violation(
        _pointer((*part.path, *error.instance_path)), keyword, _cut(error.message, most)
    )


def _pointer(path: tuple[str | int, ...]) -> str:
    return _cut("".join(f"/{_escaped(str(step))}" for step in path), SHOWN)


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
