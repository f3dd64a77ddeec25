"""Every list costs as many queries with fifty rows as with the first."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.sweeps.crowds import CROWDS, MORE
from tests.sweeps.rows import REFERENCE, filled, rows
from tests.sweeps.stage import Stage
from tests.sweeps.table import lists

CROWDLESS = """nothing makes many rows for
{lost}
Add each to CROWDS in tests/sweeps/crowds.py, with a function that stores copies of one row, and of
what the list shows beside it."""
LISTS = [row for row in rows() if row.route in lists()]


def test_every_list_has_a_crowd():
    """Otherwise: a list is there that gets slower with every row, and nobody notices."""
    known = {("GET", REFERENCE.sub("{}", path)) for path in CROWDS}
    assert len(known) > 20
    lost = [" ".join(route) for route in sorted(lists() - known)]
    assert not lost, CROWDLESS.format(lost="\n".join(lost))
    assert known - lists() == set(), "these are no lists any more"


@pytest.mark.database
@pytest.mark.django_db
@pytest.mark.parametrize("row", LISTS, ids=str)
def test_a_list_asks_the_database_as_often_for_fifty_rows_as_for_one(stage, row):
    """Otherwise: who has many of something waits for a query for each of them."""
    counted(stage, row.path)  # what is asked once in a process
    if row.who == "installation":
        CROWDS[row.path](stage.acme)
    shown, few = counted(stage, row.path)
    assert shown, "the estate has none"
    CROWDS[row.path](stage.acme)
    counted(stage, row.path)  # what is asked once after a change
    after, many = counted(stage, row.path)
    assert after > max(MORE, shown)
    assert len(many) == len(few), "\n".join(each["sql"] for each in many)


def counted(stage: Stage, path: str) -> tuple[int, CaptureQueriesContext]:
    """How many rows a list shows, and what it asked the database for them."""
    acme = stage.acme
    with CaptureQueriesContext(connection) as asked:
        answer = stage.send(
            "GET", f"{filled(path, acme.refs)}?page_size=200", b"", acme.logins["owner"]
        )
    return len(answer.json.get("results", ())), asked
