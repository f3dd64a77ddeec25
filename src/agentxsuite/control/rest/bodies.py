"""Reading a request's body: exact JSON, at most 1 MiB."""

from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from agentxsuite import wire
from agentxsuite.control.problems import TooLarge
from agentxsuite.wire import JSON

MAX_BODY: Final = 1024 * 1024  # bytes


class ExactJSONParser(BaseParser):
    """Parses with `agentxsuite.wire`: no NaN, no deep nesting, every digit of a number."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        _media_type: str | None = None,
        _parser_context: Mapping[str, Any] | None = None,
    ) -> JSON:
        """Return the body's value; raises TooLarge or ParseError."""
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise TooLarge(MAX_BODY)
        try:
            return wire.loads(body)
        except wire.WireError as error:
            raise ParseError(
                f"The body is not acceptable JSON: {error.detail}", error.code
            ) from None
