"""The ``time_between`` operator: whether an instant is within some hours of the day."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from agentxsuite.engines.pdp import kinds
from agentxsuite.engines.pdp.kinds import expect, kind_of
from agentxsuite.engines.pdp.kleene import ERROR, Truth, known
from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.wire import JSON

_HOUR = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DAY = 24 * 60  # minutes


def between(operand: JSON, zone: JSON) -> Callable[[JSON], Truth]:
    """A test of an RFC 3339 string; raises Refused.

    The first hour is inside, the second is not; ``["22:00", "06:00"]`` spans midnight. ``zone`` is
    ``Z`` or a fixed offset: names of zones would need files, and this engine reads none.
    """
    expect(operand, kinds.ARRAY)
    if len(operand) != 2:  # noqa: PLR2004  from and to
        raise Refused("bad_hours", 'value is a list of two hours, as ["08:00", "18:00"]')
    start, end = (_hour(text) for text in operand)
    if start == end:
        raise Refused("bad_hours", "the hours are the same")
    shift = _shift(zone)

    def test(value: JSON) -> Truth:
        minute = _minute(value)
        if minute is None:
            return ERROR
        now = (minute + shift) % _DAY
        return known(start <= now < end if start < end else now >= start or now < end)

    return test


def _hour(text: JSON) -> int:
    match = _HOUR.fullmatch(text) if kind_of(text) == kinds.STRING else None
    if match is None:
        raise Refused("bad_hours", "an hour is HH:MM, from 00:00 to 24:00")
    hours, minutes = (int(part) for part in match.groups() if part is not None)
    return hours * 60 + minutes


def _shift(zone: JSON) -> int:
    if zone == "Z":
        return 0
    match = _OFFSET.fullmatch(zone) if kind_of(zone) == kinds.STRING else None
    if match is None:
        raise Refused("bad_zone", "tz is Z or a fixed offset from UTC, as +01:00")
    sign, hours, minutes = match.groups()
    return int(sign + "1") * (int(hours) * 60 + int(minutes))


def _minute(value: JSON) -> int | None:
    """The minute of the day in UTC."""
    if kind_of(value) != kinds.STRING or not _INSTANT.fullmatch(value):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    offset = (instant.utcoffset() or timedelta()) // timedelta(minutes=1)
    return instant.hour * 60 + instant.minute - offset
