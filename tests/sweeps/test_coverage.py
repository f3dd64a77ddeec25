"""Every route and method has its row, and every row has all its cells."""

from collections import Counter

import pytest

from tests.sweeps.cells import AGENT, NOBODY, STRANGER, cells
from tests.sweeps.rows import LADDER, rows
from tests.sweeps.table import id_fields, id_parameters, routes

HOW = """no row in the matrix. Add one to tests/sweeps/rows.yaml, such as

{method} {path}:
  {{who: viewer}}

with a $name (tests/sweeps/estate.py) for each parameter of the path, a valid `body` where it takes
one, the least role as `who`, and the audit `event` that it leaves if it changes anything."""


def test_every_route_has_a_row():
    """Otherwise: a route is open that nobody has tried from outside."""
    known = {row.route for row in rows()}
    lost = [HOW.format(method=one[0], path=one[1]) for one, _ in routes() if one not in known]
    assert not lost, "\n\n".join(lost)


def test_every_row_is_a_route():
    """Otherwise: a row proves something of an address that is gone."""
    there = {route for route, _ in routes()}
    assert len(there) > 100
    assert [str(row) for row in rows() if row.route not in there] == []
    assert Counter(row.route for row in rows()).most_common(1)[0][1] == 1


@pytest.mark.parametrize("row", rows(), ids=str)
def test_every_row_has_all_cells(row):
    """Otherwise: somebody, or something foreign, was never tried on a route."""
    played = list(cells(row))
    named = dict(routes())[row.route]
    assert len(row.in_path) == named, "each parameter of the path is a $name"
    assert alone("path", played) == set(row.in_path)
    tried = {cell.caller for cell in played if cell.becomes in {"granted", "forbidden"}}
    wanted = {"public": {NOBODY}}.get(row.who, set(LADDER[:1] if row.fresh else LADDER))
    assert tried >= wanted
    assert row.who == "public" or {NOBODY, AGENT} == {
        cell.caller for cell in played if cell.becomes == "stopped"
    }
    stranger = STRANGER in {cell.caller for cell in played}
    assert stranger or row.who == "public" or row.fresh


@pytest.mark.parametrize("row", rows(), ids=str)
def test_every_id_that_a_route_takes_is_tried_with_a_foreign_one(row):
    """Otherwise: a new field or filter lets another company's row in, and no test looks."""
    tried = {str(step) for place in row.in_body for step in place[-1:]}
    assert id_fields(row.route) - tried == set(), "give each a $name in the row's body"
    filters = id_parameters(row.route) - set(row.filters)
    assert filters == set(), "give each a $name in the row's filters"


def alone(part, played):
    """What is foreign all by itself in some cell."""
    found = [getattr(cell, part) for cell in played if cell.caller != STRANGER]
    return {names[0] for names in found if len(names) == 1}
