"""Runs are found by what people know of them, by who may look, at a steady price."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentxsuite.control.runs.models import Run, RunStep
from tests import cast
from tests.cast import client
from tests.witness import forging

company, rival = cast.company, cast.rival  # fixtures, asked for by name
token_keys = cast.token_keys
pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/runs/"


@pytest.fixture
def ada(company):
    return client(company.people["ada"])


@forging()
def run(place, **facts):
    """A run as the ledger leaves it."""
    return Run.objects.create(
        **{
            "organization": place.organization,
            "environment": place.prod,
            "agent_id": uuid4(),
            "tool_id": uuid4(),
            "agent_name": "Clerk",
            "tool_name": "pay/send",
            "subject": "agent:probe-1",
            "door": "rest",
            "decision_id": uuid4(),
            "timeout_seconds": 30,
            "input_json": {},
            "status": "succeeded",
            **facts,
        }
    )


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("environment=dev", [1]),
        ("environment={dev}", [1]),
        ("environment={prod}&subject=agent:probe*", [2, 0]),
        ("environment=nowhere", []),
        ("subject=user:{owner}", [1]),
        ("subject=agent:*", [2, 0]),
        ("status=FAILED&outcome_code=timeout", [2]),
        ("agent=Porter&tool=doc/read", [2]),
    ],
)
def test_runs_are_found_by_place_person_and_outcome(company, home, ada, query, numbers):
    """Otherwise: "what ran in production for this person" has no answer."""
    timed_out = {"status": "failed", "outcome_code": "timeout"}
    made = [
        run(company),
        run(company, environment=company.dev, subject=f"user:{company.owner.id}"),
        run(company, agent_name="Porter", tool_name="doc/read", **timed_out),
    ]
    known = {"dev": company.dev.id, "prod": company.prod.id, "owner": company.owner.id}
    found = ids(ada.get(f"{home}?{query.format(**known)}"))
    assert found == [str(made[number].id) for number in numbers]


def test_runs_are_found_by_time(company, home, ada):
    """Otherwise: "what ran last night" has no answer."""
    made = run(company)
    before, after = (made.created_at + timedelta(minutes=m) for m in (-1, 1))

    def between(**moments):
        return ids(ada.get(home, {name: moment.isoformat() for name, moment in moments.items()}))

    assert between(created_from=before, created_to=after) == [str(made.id)]
    assert between(created_from=made.created_at, created_to=made.created_at) == [str(made.id)]
    assert between(created_from=after) == between(created_to=before) == []


@pytest.mark.parametrize("early", [-30, 30])
def test_a_run_is_found_though_its_id_and_its_time_are_not_of_one_moment(company, home, ada, early):
    """Otherwise: a run is missed whose two clock readings a millisecond lay between."""
    made = run(company)
    moment = made.created_at + timedelta(seconds=early)
    with forging():
        Run.objects.filter(id=made.id).update(created_at=moment)
    told = moment.isoformat()
    assert ids(ada.get(home, {"created_from": told, "created_to": told})) == [str(made.id)]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("status=odd", "/status"),
        ("outcome_code=odd", "/outcome_code"),
        ("created_from=once", "/created_from"),
        ("environment=%00", "/environment"),
    ],
)
def test_bad_filters_are_told_by_their_name(home, ada, query, path):
    """Otherwise: a misspelt filter finds everything, and somebody believes it."""
    answer = ada.get(f"{home}?{query}")
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


def test_a_foreign_environment_narrows_to_nothing(company, rival, home, ada):
    """Otherwise: somebody learns which environments other tenants have."""
    run(company)
    run(rival)
    for name in (rival.prod.id, uuid4()):
        assert ids(ada.get(f"{home}?environment={name}")) == []


def test_an_auditor_reads_runs_and_stops_none(company, home, ada):
    """Otherwise: an auditor cannot look, or interferes with what they watch."""
    going = run(company, status="running")
    assert ids(ada.get(home)) == [str(going.id)]
    assert ada.get(f"{home}{going.id}/").json()["status"] == "running"
    assert ids(ada.get(f"{home}{going.id}/steps/")) == []
    assert ada.post(f"{home}{going.id}/cancel/").status_code == 403
    assert client(company.people["vera"]).post(f"{home}{going.id}/cancel/").status_code == 403
    going.refresh_from_db()
    assert going.cancel_requested_at is None


def test_runs_need_a_login(company, home, token_keys):
    """Otherwise: an agent, or anybody, reads what others were asked and answered."""
    one = run(company)
    agent = client()
    agent.credentials(HTTP_AUTHORIZATION=f"Bearer {company.token(company.agent())}")
    for browser in (client(), agent):
        for address in (home, f"{home}{one.id}/", f"{home}{one.id}/steps/"):
            assert browser.get(address).status_code == 401


@pytest.mark.parametrize("steps", [True, False])
def test_a_long_list_costs_as_many_queries_as_a_short_one(company, home, ada, steps):
    """Otherwise: the runs of a busy organization cannot be read any more."""
    first = run(company)
    address = f"{home}{first.id}/steps/" if steps else home

    def add():
        if not steps:
            run(company)
            return
        with forging():
            RunStep.objects.create(run=first, organization=company.organization, step_type="note")

    def cost(rows):
        with CaptureQueriesContext(connection) as spent:
            assert len(ids(ada.get(address))) == rows
        return len(spent)

    if steps:
        add()
    cost(1)
    one = cost(1)
    for _ in range(49):
        add()
    assert cost(50) == one
