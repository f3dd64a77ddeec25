"""What this engine says: a schema that is refused, a value that does not fit."""

from typing import NamedTuple


class SchemaRefused(Exception):
    """A schema that is not safe or not sound; ``code`` is stable, ``detail`` for people.

    Codes: schema_not_object schema_too_large schema_too_deep schema_unknown_draft schema_remote_ref
    schema_unresolved_ref schema_nested_id schema_too_complex schema_too_many_patterns
    schema_pattern schema_invalid.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Violation(NamedTuple):
    """One way a value does not fit: JSON Pointer (RFC 6901), keyword, and a sentence."""

    path: str
    keyword: str
    message: str
