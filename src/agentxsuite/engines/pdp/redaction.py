"""Redaction: what a record must not keep of a call's input and output."""

from agentxsuite.engines.pdp.paths import parse_path
from agentxsuite.engines.pdp.terms import REDACTABLE
from agentxsuite.wire import JSON

REDACTED = "[redacted]"


def redact(document: dict[str, JSON], paths: tuple[str, ...]) -> dict[str, JSON]:
    """``document`` (under ``input`` and ``output``) without the values at ``paths``.

    The paths come from ``Terms.redact``. The original stays untouched; a path that leads nowhere
    changes nothing.
    """
    for path in paths:
        document = _masked(document, _steps(path))
    return document


def _steps(text: str) -> tuple[str | int, ...]:
    path = parse_path(text, REDACTABLE)
    return (path.root, *path.steps)


def _masked(value: JSON, steps: tuple[str | int, ...]) -> JSON:
    if not steps:
        return REDACTED
    step, *further = steps
    if isinstance(step, str) and isinstance(value, dict) and step in value:
        return {**value, step: _masked(value[step], tuple(further))}
    if isinstance(step, int) and isinstance(value, list) and step < len(value):
        return [*value[:step], _masked(value[step], tuple(further)), *value[step + 1 :]]
    return value
