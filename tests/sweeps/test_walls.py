"""The matrix once more without the tenant door: row-level security alone keeps companies apart.

And once more without that, to show that it was the walls: then each request reaches foreign rows.
"""

from dataclasses import replace

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from agentxsuite.control.rest.serializers import FIXED
from tests.sweeps.cells import Cell, cells, whole_paths
from tests.sweeps.conftest import sender
from tests.sweeps.digests import changed, digests
from tests.sweeps.rows import READS, rows
from tests.sweeps.stage import Answer
from tests.sweeps.walls import show, tear_down, without_door

API = "/api/v1"
# What is narrowed by who asks, which is not the door's to say, or is no list.
PERSONAL = {f"{API}/auth/me/", f"{API}/auth/me/orgs/", f"{API}/orgs/", f"{API}/orgs/$org/"}
# The person's own, whatever the door and the walls let through.
MINE = (f"{API}/auth/me/grants/", f"{API}/orgs/$org/connections/$personal/account/")
# Fields whose foreign rows something else keeps out as well, told as it is with the walls.
HELD_TWICE = {
    "secret_ref": "a secret of an environment serves that one alone",
    "bearer_secret_ref": "the same",
    "mtls_cert_ref": "the same",
    "credential_ref": "the same",
    "scope_id": "a policy of an environment is bound to nothing outside of it",
    "agent": "it is looked for in the environment that is named beside it",
    "policy": "a rule or binding stays with its policy",
}
pytestmark = [pytest.mark.database(only="postgres"), pytest.mark.django_db]


def reaching(row):
    """The cells that name something foreign, and lists of everything."""
    whole = set(whole_paths(row))
    for cell in cells(row):
        if cell.caller == "owner" and (cell.path in whole or cell.body or cell.query):
            yield cell
    listed = row.method in READS and set(row.in_path) <= {"org"} and row.who != "public"
    if listed and row.path not in PERSONAL:
        yield Cell("granted", "owner")


# All but rows of no company, or of one person.
OURS = [row for row in rows() if row.who != "installation" and not row.path.startswith(MINE)]
ROWS = [row for row in OURS if not row.live and list(reaching(row))]


@pytest.fixture
def open_stage(stage, monkeypatch):
    """Asked without the door, and a defect is answered instead of raised."""
    stage = replace(stage, send=sender(APIClient(raise_request_exception=False)))
    without_door(monkeypatch, stage.acme, stage.globex)
    return stage


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_walls_alone_protect(open_stage, row):
    """Otherwise: one forgotten filter shows or changes what is another company's."""
    for cell in reaching(row):
        with_walls, reached = tried(open_stage, row, cell, walls=True)
        assert not reached, f"{cell}: {reached}: {with_walls}"
        without, reached = tried(open_stage, row, cell, walls=False)
        assert bitten(row, cell, with_walls, without, reached), f"{cell}: {reached}: {without}"


def bitten(row, cell, with_walls, without, reached):
    """Whether it was the walls that kept the request out: the same one gets in without them."""
    if cell.query or not (cell.path or cell.body) or row.method == "DELETE":
        return reached
    if row.method in READS:
        return (with_walls.status, without.status) == (404, 200)
    held_twice = bool(cell.body) and cell.body[-1] in HELD_TWICE
    unread = FIXED.encode() in with_walls.body  # a field that stays is looked up nowhere
    return held_twice or unread or reached or with_walls.without() != without.without()


def tried(stage, row, cell, *, walls):
    """Make a cell's request; returns the answer and what of Globex it showed or changed."""
    with transaction.atomic():
        show(stage.acme, stage.globex)
        before = digests(of=stage.globex.org)
        if not walls:
            tear_down()
        answer, named = stage.ask_cell(row, cell, foreign=True)
        show(stage.acme, stage.globex)
        reached = changed(before, digests(of=stage.globex.org))
        transaction.set_rollback(True)
    return answer, reached | shown(stage, answer, named)


def shown(stage, answer: Answer, named):
    """What an answer tells of Globex."""
    try:
        stage.shows_nothing_of(stage.globex, answer, *named)
    except AssertionError as told:
        return {str(told)}
    return set()
