"""Who is in an organization is seen by its members, and changed by whoever stands high enough."""

from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.tenancy.models import OrganizationMembership
from tests import cast
from tests.cast import client, person

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/members/"


@pytest.fixture
def of(home, company):
    """The address of a member."""
    return lambda name: f"{home}{company.people[name].id}/"


@pytest.fixture
def adam(company):
    """An admin: high, but not highest."""
    return client(company.hire("adam", "admin"))


def role(company, name):
    return OrganizationMembership.objects.get(user=company.people[name]).role


def test_members_are_listed_found_and_shown(home, of, company):
    """Otherwise: nobody can look up who has which rights."""
    vera = client(company.people["vera"])
    assert vera.get(home).json()["count"] == 4
    found = vera.get(f"{home}?email=BOB@acme.example").json()["results"]
    assert [(row["user"], row["role"]) for row in found] == [
        (str(company.people["bob"].id), "operator")
    ]
    assert vera.get(of("bob")).json() == found[0]
    assert vera.get(f"{home}?role=owner&is_active=true").json()["count"] == 1
    ordered = vera.get(f"{home}?ordering=role").json()["results"]
    assert [row["role"] for row in ordered] == ["auditor", "operator", "owner", "viewer"]


def test_a_list_costs_the_same_for_many(home, company):
    """Otherwise: a large organization takes the server down by looking at itself."""
    alice, costs, numbers = client(company.owner), [], count()
    for more in (1, 49):
        for _ in range(more):
            company.hire(f"n{next(numbers)}", "viewer")
        with CaptureQueriesContext(connection) as queries:
            assert alice.get(f"{home}?page_size=200").status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_a_change_of_role_counts_at_once_and_is_on_record(home, of, company):
    """Otherwise: somebody keeps, or never gets, what their role should give them; unseen."""
    alice, vera = client(company.owner), client(company.people["vera"])
    body = {"role": "ADMIN"}
    assert alice.patch(of("vera"), body, format="json").json()["role"] == "admin"
    alice.patch(of("vera"), body, format="json")  # says nothing new
    assert vera.patch(of("bob"), {"role": "viewer"}, format="json").status_code == 200
    assert alice.patch(of("vera"), {"is_active": False}, format="json").status_code == 200
    assert vera.get(home).status_code == 404
    told = AuditEvent.objects.filter(
        event_type="member_changed", target=f"user:{company.people['vera'].id}"
    )
    assert [event.event_data["changes"] for event in told.order_by("id")] == [
        {"role": {"from": "viewer", "to": "admin"}},
        {"is_active": {"from": True, "to": False}},
    ]


def test_whoever_is_removed_is_out_at_once(of, company):
    """Otherwise: somebody who was let go still reads, or there is no trace of who let them go."""
    alice, bob = client(company.owner), client(company.people["bob"])
    place = f"/api/v1/orgs/{company.organization.id}/"
    assert bob.get(place).status_code == 200
    assert alice.delete(of("bob")).status_code == 204
    assert bob.get(place).status_code == 404
    assert bob.get("/api/v1/auth/me/").json()["organizations"] == []
    assert alice.delete(of("bob")).status_code == 404
    event = AuditEvent.objects.get(event_type="member_removed")
    assert (event.subject, event.target) == (
        f"user:{company.owner.id}",
        f"user:{company.people['bob'].id}",
    )
    assert event.event_data["role"] == "operator"


@pytest.mark.parametrize("name", ["bob", "vera", "ada"])
def test_anybody_may_leave_but_remove_nobody_else(of, company, name):
    """Otherwise: people are held in an organization, or thrown out by their equals."""
    browser = client(company.people[name])
    for other in {"alice", "bob", "vera", "ada"} - {name}:
        assert browser.delete(of(other)).status_code == 403
        assert browser.patch(of(other), {"role": "viewer"}, format="json").status_code == 403
    assert browser.patch(of(name), {"role": "admin"}, format="json").status_code == 403
    assert browser.delete(of(name)).status_code == 204
    assert not OrganizationMembership.objects.filter(user=company.people[name]).exists()


def test_the_last_owner_stays(of, company):
    """Otherwise: an organization is left with nobody who may let anybody in."""
    alice = client(company.owner)
    for change in ({"role": "admin"}, {"is_active": False}):
        answer = alice.patch(of("alice"), change, format="json")
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert alice.delete(of("alice")).json()["code"] == "last_owner"
    assert role(company, "alice") == "owner"
    company.hire("olga", "owner")
    assert alice.delete(of("alice")).status_code == 204


def test_an_owner_who_cannot_act_does_not_count(of, company):
    """Otherwise: the last owner leaves behind one who is suspended or has no account any more."""
    alice, olga = client(company.owner), company.hire("olga", "owner")
    alice.patch(of("olga"), {"is_active": False}, format="json")
    assert alice.delete(of("alice")).status_code == 409
    alice.patch(of("olga"), {"is_active": True}, format="json")
    olga.is_active = False
    olga.save()
    assert alice.delete(of("alice")).status_code == 409


def test_an_admin_reaches_no_owner(of, company, adam):
    """Otherwise: an admin makes themselves owner, or rids themselves of one."""
    for name in ("alice", "adam", "vera"):
        assert adam.patch(of(name), {"role": "owner"}, format="json").status_code == 403
    assert adam.patch(of("alice"), {"is_active": False}, format="json").status_code == 403
    assert adam.patch(of("alice"), {"role": "viewer"}, format="json").status_code == 403
    assert adam.delete(of("alice")).status_code == 403
    assert (role(company, "alice"), role(company, "adam")) == ("owner", "admin")
    assert adam.patch(of("vera"), {"role": "admin"}, format="json").status_code == 200


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"role": "king"}, "/role"),
        ({"role": None}, "/role"),
        ({"is_active": "perhaps"}, "/is_active"),
        ({"organization": "x"}, "/organization"),
        ([], ""),
    ],
)
def test_bad_input_is_told_by_its_field(of, company, body, path):
    """Otherwise: somebody believes to have changed what they have not."""
    answer = client(company.owner).patch(of("vera"), body, format="json")
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


def test_a_member_cannot_be_turned_into_somebody_else(of, company, rival):
    """Otherwise: a membership is handed over to a person whom nobody let in."""
    body = {"user": str(rival.owner.id), "role": "viewer"}
    client(company.owner).patch(of("vera"), body, format="json")
    assert OrganizationMembership.objects.get(user=company.people["vera"]).role == "viewer"
    assert not company.organization.organizationmembership_set.filter(user=rival.owner).exists()


def test_strangers_and_non_members_do_not_exist(home, of, company, rival):
    """Otherwise: one tenant learns or changes who works for another."""
    charlie, alice = client(rival.owner), client(company.owner)
    theirs = f"/api/v1/orgs/{rival.organization.id}/members/{company.people['vera'].id}/"
    for path in (home, of("vera"), theirs):
        assert charlie.get(path).status_code == 404
    for path in (of("vera"), theirs):
        assert charlie.delete(path).status_code == 404
        assert charlie.patch(path, {"role": "admin"}, format="json").status_code == 404
    dora = person("dora", "Acme")
    assert alice.delete(f"{home}{dora.id}/").status_code == 404
    assert client().get(home).status_code == 401
    assert client(company.people["ada"]).get(home).status_code == 403
