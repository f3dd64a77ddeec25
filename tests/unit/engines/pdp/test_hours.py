"""The hours of a day, in a fixed offset from UTC."""

import pytest

from tests.unit.engines.pdp.building import ERROR, FALSE, TRUE, refusals, truth

DAY = ["08:00", "18:00"]
NIGHT = ["22:00", "06:00"]
CASES = [
    (DAY, {}, "2026-03-04T08:00:00Z", TRUE),
    (DAY, {}, "2026-03-04T07:59:59.999Z", FALSE),
    (DAY, {}, "2026-03-04T17:59:59.999999999Z", TRUE),
    (DAY, {}, "2026-03-04T18:00:00Z", FALSE),
    (DAY, {}, "2026-03-04T09:30:00+02:00", FALSE),
    (DAY, {}, "2026-03-04T03:00:00-05:30", TRUE),
    (DAY, {"tz": "Z"}, "2026-03-04T08:00:00Z", TRUE),
    (DAY, {"tz": "+01:00"}, "2026-03-04T07:00:00Z", TRUE),
    (DAY, {"tz": "+01:00"}, "2026-03-04T17:00:00Z", FALSE),
    (DAY, {"tz": "-08:30"}, "2026-03-04T16:30:00Z", TRUE),
    (DAY, {"tz": "-08:30"}, "2026-03-04T16:29:00Z", FALSE),
    (NIGHT, {}, "2026-03-04T22:00:00Z", TRUE),
    (NIGHT, {}, "2026-03-04T05:59:00Z", TRUE),
    (NIGHT, {}, "2026-03-04T06:00:00Z", FALSE),
    (NIGHT, {}, "2026-03-04T21:59:00Z", FALSE),
    (NIGHT, {"tz": "+23:00"}, "2026-03-04T23:00:00Z", TRUE),
    (["00:00", "24:00"], {}, "2026-03-04T23:59:59Z", TRUE),
    (["12:00", "24:00"], {}, "2026-03-04T11:59:59Z", FALSE),
    (DAY, {}, "0001-01-01T09:00:00+23:59", TRUE),
    (DAY, {}, "2026-03-04T09:00:00", ERROR),
    (["08:30", "18:00"], {}, "2026-03-04T08:30:00Z", TRUE),
    (["08:30", "18:00"], {}, "2026-03-04T08:29:00Z", FALSE),
    (DAY, {}, "2026-03-04", ERROR),
    (DAY, {}, "2026-02-30T09:00:00Z", ERROR),
    (DAY, {}, "2026-03-04T09:00:00Z ", ERROR),
    (DAY, {}, "2026-03-04T09:00:00+24:00", ERROR),
    (DAY, {}, "9:00", ERROR),
    (DAY, {}, 1772611200, ERROR),
]


@pytest.mark.parametrize(("hours", "zone", "instant", "expected"), CASES)
def test_time_between(hours, zone, instant, expected):
    """Losing this, rules about working hours open at the wrong hour."""
    assert truth("time_between", hours, instant, **zone) == expected


@pytest.mark.parametrize(
    ("hours", "zone", "code"),
    [
        ("08:00", {}, "bad_operand"),
        (["08:00"], {}, "bad_hours"),
        (["08:00", "09:00", "10:00"], {}, "bad_hours"),
        (["08:00", "08:00"], {}, "bad_hours"),
        (["8:00", "09:00"], {}, "bad_hours"),
        (["08:00", "25:00"], {}, "bad_hours"),
        (["08:00", "24:01"], {}, "bad_hours"),
        (["08:60", "09:00"], {}, "bad_hours"),
        ([8, 9], {}, "bad_hours"),
        (DAY, {"tz": "Europe/Berlin"}, "bad_zone"),
        (DAY, {"tz": "+1"}, "bad_zone"),
        (DAY, {"tz": "+24:00"}, "bad_zone"),
        (DAY, {"tz": None}, "bad_zone"),
        (DAY, {"tz": 1}, "bad_zone"),
    ],
)
def test_hours_are_refused_when_written(hours, zone, code):
    """Losing this, a mistyped hour closes a door for ever, or never."""
    leaf = {"path": "request.time", "op": "time_between", "value": hours, **zone}
    assert refusals(leaf) == {"/conditions": code}
