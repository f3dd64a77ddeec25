"""Organizations are founded by anybody, renamed by admins, and deleted by their owners alone."""

from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.tenancy.models import Environment, Organization, OrganizationMembership
from tests import cast
from tests.cast import client, person

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]
ORGS, MINE = "/api/v1/orgs/", "/api/v1/auth/me/orgs/"


@pytest.fixture
def home(company):
    return f"{ORGS}{company.organization.id}/"


@pytest.fixture
def alice(company):
    return client(company.owner)


@pytest.mark.parametrize("door", [ORGS, MINE])
def test_whoever_founds_an_organization_owns_it(db, door):
    """Otherwise: a new team cannot begin, or begins with nobody in charge."""
    dora = person("dora", "Acme")
    made = client(dora).post(door, {"name": " Initech "}, format="json")
    assert made.status_code == 201, made.content
    assert made.json()["name"] == "Initech"
    mine = client(dora).get(MINE).json()["results"]
    assert mine == [{"id": made.json()["id"], "name": "Initech", "role": "owner"}]
    event = AuditEvent.objects.get(event_type="organization_created")
    assert (event.subject, str(event.organization_id)) == (f"user:{dora.id}", made.json()["id"])


def test_an_organization_is_shown_and_renamed(home, alice, company):
    """Otherwise: a name that was mistyped once stays for ever."""
    assert alice.get(home).json()["name"] == "Acme"
    assert alice.patch(home, {"name": "Acme Ltd"}, format="json").json()["name"] == "Acme Ltd"
    assert alice.put(home, {"name": "Acme Inc"}, format="json").json()["name"] == "Acme Inc"
    assert alice.patch(home, {"name": "Acme Inc"}, format="json").status_code == 200
    assert alice.patch(home, {}, format="json").status_code == 200
    told = AuditEvent.objects.filter(event_type="organization_changed").order_by("id")
    assert [event.event_data["changes"]["name"]["to"] for event in told] == ["Acme Ltd", "Acme Inc"]
    assert told[0].target == f"organization:{company.organization.id}"


def test_a_deleted_organization_is_gone_with_everything_in_it(home, alice, company):
    """Otherwise: what was shut down goes on being read or changed."""
    company.agent()
    assert alice.delete(home).status_code == 204
    for path in ("", "environments/", f"environments/{company.prod.id}/", "members/", "runs/"):
        assert alice.get(f"{home}{path}").status_code == 404, path
    assert alice.get(f"{home}audit/").status_code == 404
    assert alice.post(f"{home}environments/", {"name": "x"}, format="json").status_code == 404
    assert alice.delete(home).status_code == 404
    assert alice.get(MINE).json()["count"] == alice.get(ORGS).json()["count"] == 0
    assert alice.post(ORGS, {"name": "Acme"}, format="json").status_code == 201  # its name is free
    told = AuditEvent.objects.get(event_type="organization_deleted")
    assert (told.subject, told.event_data) == (f"user:{company.owner.id}", {"name": "Acme"})
    assert Environment.objects.filter(organization=company.organization).count() == 2  # kept


def test_each_role_changes_what_it_may(home, company):
    """Otherwise: an organization is renamed or deleted by somebody who may only look."""
    adam = client(company.hire("adam", "admin"))
    assert adam.patch(home, {"name": "Acme Ltd"}, format="json").status_code == 200
    assert adam.delete(home).status_code == 403
    for name in ("bob", "vera", "ada"):
        browser = client(company.people[name])
        assert browser.get(home).status_code == 200
        assert browser.patch(home, {"name": "x"}, format="json").status_code == 403
        assert browser.put(home, {"name": "x"}, format="json").status_code == 403
        assert browser.delete(home).status_code == 403


def test_strangers_see_no_organization(home, company, rival):
    """Otherwise: one tenant sees, renames or deletes another."""
    charlie = client(rival.owner)
    for browser, status in ((charlie, 404), (client(), 401)):
        assert browser.get(home).status_code == status
        assert browser.patch(home, {"name": "x"}, format="json").status_code == status
        assert browser.delete(home).status_code == status
    assert client().get(ORGS).status_code == client().post(ORGS).status_code == 401
    assert [row["name"] for row in charlie.get(ORGS).json()["results"]] == ["Globex"]
    assert Organization.objects.live().count() == 2


@pytest.mark.parametrize("door", [ORGS, MINE])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "Globex"}, 409),
        ({"name": ""}, 400),
        ({"name": " "}, 400),
        ({"name": "x" * 201}, 400),
        ({"name": "a\0b"}, 400),
        ({"name": None}, 400),
        ({"name": "x", "owner": "y"}, 400),
        ({}, 400),
        ([], 400),
    ],
)
def test_bad_input_founds_nothing(alice, rival, door, body, status):
    """Otherwise: two tenants share a name, or a mistyped request founds one."""
    assert alice.post(door, body, format="json").status_code == status
    assert Organization.objects.count() == 2


def test_a_name_that_is_taken_stays_with_its_owner(home, alice, rival):
    """Otherwise: two tenants cannot be told apart."""
    assert alice.patch(home, {"name": "Globex"}, format="json").status_code == 409
    assert alice.get(home).json()["name"] == "Acme"


@pytest.mark.parametrize("door", [ORGS, MINE, "/api/v1/auth/me/"])
def test_a_list_costs_the_same_for_many(company, alice, door):
    """Otherwise: whoever works for many organizations waits ever longer."""
    costs, numbers = [], count()
    for more in (1, 49):
        for _ in range(more):
            place = Organization.objects.create(name=f"n{next(numbers)}")
            OrganizationMembership.objects.create(organization=place, user=company.owner)
        with CaptureQueriesContext(connection) as queries:
            assert alice.get(f"{door}?page_size=200").status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_organizations_are_narrowed_and_ordered(alice):
    """Otherwise: in a long list nothing can be found."""
    for name in ("Zeta", "Beta"):
        alice.post(ORGS, {"name": name}, format="json")
    names = [row["name"] for row in alice.get(f"{ORGS}?ordering=-name").json()["results"]]
    assert names == ["Zeta", "Beta", "Acme"]
    assert alice.get(f"{ORGS}?name=Beta").json()["count"] == 1
