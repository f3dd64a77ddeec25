"""Every route and method has its row, and every row has all its cells."""

from collections import Counter

import pytest

from tests.manifest.test_manifest import is_there
from tests.sweeps.cells import AGENT, NOBODY, STRANGER, cells
from tests.sweeps.doors import DOORS
from tests.sweeps.rows import LADDER, elsewhere, rows
from tests.sweeps.table import door, doors, id_fields, id_parameters, routes

ROWS = """no row in the matrix for
{lost}
Add each to tests/sweeps/rows.yaml, with a $name (tests/sweeps/estate.py) for each parameter of the
path, a valid `body` where it takes one, the least role as `who`, and the audit `event` that it
leaves if it changes anything; the head of the file tells of the rest."""
TESTS = """no test is named that tries from outside
{lost}
Add each to tests/sweeps/elsewhere.yaml, with a list of the tests that do: `tests/x.py::test_y`."""
API = "/api/"


def test_every_route_has_a_row():
    """Otherwise: a route is open that nobody has tried from outside."""
    known = {row.route for row in rows()} | elsewhere().keys()
    lost = [route for route, _ in routes() if route not in known]
    ours = [" ".join(route) for route in lost if route[1].startswith(API)]
    others = [" ".join(route) for route in lost if not route[1].startswith(API)]
    assert not ours, ROWS.format(lost="\n".join(ours))
    assert not others, TESTS.format(lost="\n".join(others))


def test_every_row_is_a_route():
    """Otherwise: a row proves something of an address that is gone."""
    there = {route for route, _ in routes()}
    assert len(there) > 100
    gone = [row for row in rows() if row.route not in there and not door(row.path)]
    assert list(map(str, gone)) == []
    assert elsewhere().keys() - there == set()
    assert Counter(row.route for row in rows()).most_common(1)[0][1] == 1


def test_what_is_tried_elsewhere_is_tried():
    """Otherwise: a route is excused by a test that somebody took away, or that is the API's."""
    named = {test for tests in elsewhere().values() for test in tests}
    assert [test for test in named if not is_there(*test.split("::"))] == []
    assert all(elsewhere().values())
    assert [path for _, path in elsewhere() if path.startswith(API)] == []


def test_every_door_of_the_gateway_is_tried():
    """Otherwise: an agent's door is open that nobody has tried from outside."""
    played = {door(path) for path in (*DOORS, *(row.path for row in rows()))}
    assert doors() <= played, "add a path to DOORS and a test in tests/sweeps/test_doors.py"


@pytest.mark.parametrize("row", rows(), ids=str)
def test_every_row_has_all_cells(row):
    """Otherwise: somebody, or something foreign, was never tried on a route."""
    played = list(cells(row))
    named = dict(routes()).get(row.route, row.path.count("$"))
    assert len(row.in_path) == named, "each parameter of the path is a $name"
    assert alone("path", played) == set(row.in_path)
    tried = {cell.caller for cell in played if cell.becomes != "stopped"}
    wanted = {"public": {NOBODY}}.get(row.who, set(LADDER[:1] if row.fresh else LADDER))
    assert tried >= wanted - skipped(row)
    stopped = {cell.caller for cell in played if cell.becomes == "stopped"}
    assert row.who == "public" or stopped == {NOBODY, AGENT} - ({AGENT} if row.agents else set())
    stranger = STRANGER in {cell.caller for cell in played}
    assert stranger or row.who == "public" or row.fresh


@pytest.mark.parametrize("row", rows(), ids=str)
def test_every_id_that_a_route_takes_is_tried_with_a_foreign_one(row):
    """Otherwise: a new field or filter lets another company's row in, and no test looks."""
    tried = {str(step) for place in row.in_body for step in place[-1:]}
    assert id_fields(row.route) - tried == set(), "give each a $name in the row's body"
    filters = id_parameters(row.route) - set(row.filters)
    assert filters == set(), "give each a $name in the row's filters"


def skipped(row):
    """Who may, and is not asked to, because it can be done once."""
    return {role for role in LADDER if row.once and row.may(role) and role != row.who}


def alone(part, played):
    """What is foreign all by itself in some cell."""
    found = [getattr(cell, part) for cell in played if cell.caller != STRANGER]
    return {names[0] for names in found if len(names) == 1}
