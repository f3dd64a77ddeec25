"""Well-formed? JSON Schema checks of tool arguments, safe against hostile schemas and values."""

from agentxsuite.engines.schemas.schema import Schema, inspect_schema
from agentxsuite.engines.schemas.verdicts import SchemaRefused, Violation

__all__ = ["Schema", "SchemaRefused", "Violation", "inspect_schema"]
