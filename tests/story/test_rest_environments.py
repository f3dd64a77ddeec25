"""Environments are made, changed and deleted by who may, and only within one's organization."""

import pytest

from agentxsuite.control.audit.models import AuditEvent
from tests import cast
from tests.cast import client

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/environments/"


@pytest.fixture
def alice(company):
    return client(company.owner)


def test_an_environment_lives_from_its_making_to_its_end(home, alice):
    """Otherwise: a team cannot set up, rename or take down a place for its tools."""
    made = alice.post(home, {"name": "Stage", "type": "STAGE"}, format="json")
    assert made.status_code == 201, made.content
    assert (made.json()["name"], made.json()["type"]) == ("Stage", "stage")
    one = f"{home}{made.json()['id']}/"
    assert alice.get(one).json() == made.json()
    assert alice.patch(one, {"name": "staging"}, format="json").json()["type"] == "stage"
    assert alice.put(one, {"name": "staging"}, format="json").json()["type"] == "dev"
    assert alice.delete(one).status_code == 204
    assert alice.get(one).status_code == 404
    assert alice.delete(one).status_code == 404
    again = alice.post(home, {"name": "staging"}, format="json")
    assert again.status_code == 201


def test_every_change_is_on_record(home, alice, company):
    """Otherwise: nobody can tell who took down an environment."""
    one = f"{home}{alice.post(home, {'name': 'stage'}, format='json').json()['id']}/"
    alice.patch(one, {"type": "prod"}, format="json")
    alice.patch(one, {"type": "prod"}, format="json")  # says nothing new
    alice.delete(one)
    told = AuditEvent.objects.filter(target__in=[f"environment:{one.split('/')[-2]}"])
    kinds = [event.event_type for event in told.order_by("id")]
    assert kinds == ["environment_created", "environment_changed", "environment_deleted"]
    changed = told.get(event_type="environment_changed")
    assert changed.event_data == {"changes": {"type": {"from": "dev", "to": "prod"}}}
    assert changed.subject == f"user:{company.owner.id}"


def test_lists_are_narrowed_ordered_and_paged(home, alice):
    """Otherwise: in a long list nothing can be found."""
    answer = alice.get(f"{home}?ordering=name&page_size=1").json()
    assert answer["count"] == 2
    assert [row["name"] for row in answer["results"]] == ["dev"]
    assert [row["name"] for row in alice.get(answer["next"]).json()["results"]] == ["prod"]
    assert alice.get(f"{home}?type=prod").json()["count"] == 1
    assert alice.get(f"{home}?type=PROD").json()["count"] == 1


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({"name": "prod"}, 409, None),
        ({"name": ""}, 400, "/name"),
        ({"name": "x", "type": "moon"}, 400, "/type"),
        ({"name": "x", "nmae": "y"}, 400, "/nmae"),
        ([], 400, ""),
        ({"name": "x" * 101}, 400, "/name"),
        ({"name": "a\0b"}, 400, "/name"),
    ],
)
def test_bad_input_is_told_by_its_field(home, alice, body, status, path):
    """Otherwise: somebody guesses for an hour what was wrong."""
    answer = alice.post(home, body, format="json")
    assert answer.status_code == status, answer.content
    if path is not None:
        assert [fault["path"] for fault in answer.json()["errors"]] == [path]
    assert alice.get(home).json()["count"] == 2


@pytest.mark.parametrize(("name", "status"), [("vera", 403), ("bob", 403), ("ada", 403)])
def test_only_an_admin_changes_environments(home, company, name, status):
    """Otherwise: somebody who may only look takes production down."""
    browser = client(company.people[name])
    one = f"{home}{company.prod.id}/"
    assert browser.post(home, {"name": "x"}, format="json").status_code == status
    assert browser.patch(one, {"name": "x"}, format="json").status_code == status
    assert browser.delete(one).status_code == status


def test_a_stranger_learns_nothing(home, company, rival):
    """Otherwise: one tenant sees or ends another one's environments."""
    charlie = client(rival.owner)
    theirs = f"/api/v1/orgs/{rival.organization.id}/environments/{company.prod.id}/"
    for path in (home, f"{home}{company.prod.id}/", theirs):
        assert charlie.get(path).status_code == 404
    assert charlie.delete(theirs).status_code == 404
    assert client().get(home).status_code == 401
