"""The one door to jsonschema-rs: no retrieval, linear regular expressions, no formats."""

from typing import Final, Never

import jsonschema_rs

from agentxsuite.engines.schemas.patterns import options_for
from agentxsuite.engines.schemas.verdicts import SchemaRefused
from agentxsuite.wire import JSON

HERE: Final = "urn:schema"
SHOWN: Final = 300  # characters of a message
MASK: Final = "the value"


def compiled(schema: dict[str, JSON], patterns: int) -> jsonschema_rs.Validator:
    """A validator whose messages say ``the value`` where others echo it; raises SchemaRefused."""
    try:
        return jsonschema_rs.validator_for(
            schema,
            retriever=_deny,
            pattern_options=options_for(patterns),
            validate_formats=False,
            mask=MASK,
        )
    except ValueError as error:  # ValidationError and ReferencingError included
        raise SchemaRefused("schema_invalid", str(error)[:SHOWN]) from None


def compiled_part(schema: dict[str, JSON], pointer: str, patterns: int) -> jsonschema_rs.Validator:
    """The subschema of a compiled ``schema`` at a JSON Pointer (percent-encoded)."""
    return jsonschema_rs.validator_for(
        {"$ref": f"{HERE}#{pointer}"},
        registry=jsonschema_rs.Registry([(HERE, schema)], retriever=_deny),
        pattern_options=options_for(patterns),
        validate_formats=False,
        mask=MASK,
    )


def _deny(uri: str) -> Never:
    raise ValueError(f"nothing is fetched: {uri[:100]}")
