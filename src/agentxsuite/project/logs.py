"""Logging, as every process of ours sets it up: no line tells a secret that the process has used.

Lines are masked where they begin, in the record, and not in a handler: so those of every library
are, whatever handlers and formatters somebody adds.
"""

import logging
from logging.config import dictConfig
from typing import Any

from agentxsuite.masking import mask

_formatter = logging.Formatter()


class MaskedRecord(logging.LogRecord):
    """A record whose message, arguments, traceback and stack are masked."""

    def __init__(self, *fields: Any, **more: Any) -> None:
        super().__init__(*fields, **more)
        if isinstance(self.msg, str):
            self.msg = mask(self.msg)
        self.args = _masked(self.args)
        if self.exc_info:  # written here: nobody gets the exception itself to write it again
            self.exc_text = mask(_formatter.formatException(self.exc_info))
            self.exc_info = None
        if self.stack_info:
            self.stack_info = mask(self.stack_info)

    def getMessage(self) -> str:  # noqa: N802 - logging calls it so
        """Return the line, masked: an object may tell a secret when it is written."""
        return mask(super().getMessage())


def configure(configuration: dict[str, Any]) -> None:
    """Set logging up, warnings of Python included (Django's LOGGING_CONFIG)."""
    logging.setLogRecordFactory(MaskedRecord)
    logging.captureWarnings(capture=True)
    dictConfig(configuration)


def _masked(args: Any) -> Any:
    """Arguments of a line, as logging takes them: a tuple, or one mapping."""
    if isinstance(args, tuple):
        return tuple(_word(each) for each in args)
    if isinstance(args, dict):
        return {name: _word(each) for name, each in args.items()}
    return args


def _word(value: Any) -> Any:
    return mask(value) if isinstance(value, str) else value
