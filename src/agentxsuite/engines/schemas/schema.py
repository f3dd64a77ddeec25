"""A compiled JSON Schema: safe to keep, quick to check."""

from dataclasses import dataclass, field
from typing import Final, Self

import jsonschema_rs

from agentxsuite import wire
from agentxsuite.engines.schemas.cost import Cost, Survey
from agentxsuite.engines.schemas.engine import compiled
from agentxsuite.engines.schemas.explain import explain
from agentxsuite.engines.schemas.patterns import patterns_of
from agentxsuite.engines.schemas.size import Size
from agentxsuite.engines.schemas.verdicts import SchemaRefused, Violation
from agentxsuite.wire import JSON

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 32
MOST_AT_ONE_PLACE: Final = 20_000.0  # microseconds
BUDGET: Final = 200_000.0  # microseconds a check may take at worst
BIG: Final = 300.0  # an integer beyond 64 bits takes as long as so many other values
BIG_DIGITS: Final = 19  # it has at least so many
BIG_PAIR: Final = 2.0  # microseconds to compare two of them under uniqueItems

DRAFTS: Final = frozenset(
    {f"http://json-schema.org/draft-0{number}/schema" for number in (4, 6, 7)}
    | {f"https://json-schema.org/draft/{name}/schema" for name in ("2019-09", "2020-12")}
)
DEFAULT_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"  # as MCP says
TOO_MUCH: Final = Violation("", "complexity", "the value is too large for so complex a schema")


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A JSON Schema, 2020-12 unless its ``$schema`` says otherwise; ``format`` only annotates."""

    source: dict[str, JSON] = field(repr=False)
    survey: Survey = field(repr=False)
    unique: bool  # whether uniqueItems occurs
    sure: int  # bytes of JSON that are always checked within the budget
    validator: jsonschema_rs.Validator = field(repr=False)

    @classmethod
    def compile(cls, schema: JSON) -> Self:
        """Refuse what is unsafe or unsound, keep the rest ready; raises SchemaRefused.

        Safe means: at most 64 KiB and 32 levels, references within the schema only, regular
        expressions that run in linear time, and a bound on the work for one value.
        """
        if not isinstance(schema, dict):
            raise SchemaRefused("schema_not_object", "a schema is a JSON object")
        data = _serialised(schema)
        if str(schema.get("$schema", DEFAULT_DRAFT)).removesuffix("#") not in DRAFTS:
            raise SchemaRefused("schema_unknown_draft", f"$schema is none of {sorted(DRAFTS)}")
        patterns = patterns_of(schema)
        survey = Survey(schema)
        if survey.total.value > MOST_AT_ONE_PLACE:
            raise SchemaRefused("schema_too_complex", "one value may take too long to check")
        unique = b'"uniqueItems":true' in data
        validator = compiled(schema, len(patterns))
        return cls(schema, survey, unique, _sure(survey.total, unique=unique), validator)

    def check(self, value: JSON) -> tuple[Violation, ...]:
        """How ``value`` (as wire.loads gives it) does not fit: () if it does, else 1 to 20.

        A value whose check might take longer than the budget is not checked but refused.
        """
        if len(wire.dumps(value)) > self.sure and self._work(Size.of(value)) > BUDGET:
            return (TOO_MUCH,)
        if self.validator.is_valid(value):
            return ()
        return explain(self.source, self.validator, self.survey, value)

    def _work(self, size: Size) -> float:
        """Microseconds at worst."""
        pairs = size.big**2 * BIG_PAIR if self.unique else 0.0
        cost = self.survey.total
        values = (size.values + size.big * BIG) * cost.value
        return values + size.characters * cost.character + pairs


def inspect_schema(schema: JSON) -> None:
    """Judge a tool's ``inputSchema`` before anyone relies on it; raises SchemaRefused.

    Beyond what Schema.compile asks, its top must say ``"type": "object"`` (MCP, Tool).
    """
    Schema.compile(schema)
    if schema.get("type") != "object":
        raise SchemaRefused("schema_not_object", 'the schema of a tool\'s input has type "object"')


def _sure(cost: Cost, *, unique: bool) -> int:
    """Bytes that are within the budget whatever they hold: each a value, a character, a digit."""
    a_byte = cost.value * (1 + BIG / BIG_DIGITS) + cost.character
    half = BUDGET / 2 / a_byte
    return int(min(half, BIG_DIGITS * (BUDGET / 2 / BIG_PAIR) ** 0.5) if unique else half)


def _serialised(schema: dict[str, JSON]) -> bytes:
    if wire.depth(schema) > MAX_DEPTH:
        raise SchemaRefused("schema_too_deep", f"nested deeper than {MAX_DEPTH} levels")
    try:
        data = wire.dumps(schema)
    except (TypeError, ValueError):  # a lone surrogate, NaN, or no JSON at all
        raise SchemaRefused("schema_invalid", "not representable as JSON") from None
    if len(data) > MAX_BYTES:
        raise SchemaRefused("schema_too_large", f"{len(data)} bytes, at most {MAX_BYTES}")
    return data
