"""Moments as people type them: `2026-11-22T09:00`, or how long ago, as `90m`, `2h`, `7d`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from agentxsuite.cli.failures import Misused

Moment = Annotated[
    str | None, typer.Option(help="a moment, or how long ago: 90m, 2h, 7d", metavar="WHEN")
]
AGO: Final = re.compile(r"(\d{1,6})([smhd])")
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LENGTH = "a length of time is a number and s, m, h or d"


def length(text: str) -> timedelta:
    """Return how long `90m` is; raises Misused."""
    found = AGO.fullmatch(text.strip())
    if found is None:
        raise Misused(f"{text!r}: {LENGTH}, as 90m")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def moment(text: str | None) -> str | None:
    """Return a moment as the API takes it; without a zone it is this machine's. Raises Misused."""
    if text is None:
        return None
    if AGO.fullmatch(text.strip()):
        return (datetime.now(UTC) - length(text)).isoformat()
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except ValueError:
        raise Misused(f"{text!r} is no moment such as 2026-11-22T09:00, nor 90m, 2h, 7d") from None
