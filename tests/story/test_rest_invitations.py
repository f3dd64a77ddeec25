"""People come into an organization by an invitation, and by nothing else."""

import hashlib
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.tenancy.models import Invitation, OrganizationMembership
from tests import cast
from tests.cast import client, person

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]
JOIN = "/api/v1/auth/me/orgs/"
DORA = "dora@acme.example"


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/invitations/"


@pytest.fixture
def alice(company):
    return client(company.owner)


@pytest.fixture
def dora(db):
    """Somebody who is to be let in."""
    return person("dora", "Acme")


@pytest.fixture
def invite(home, alice):
    """Invite somebody, as the owner unless told; returns the answer's body."""

    def invite(role="operator", by=alice, **facts):
        answer = by.post(home, {"email": DORA, "role": role, **facts}, format="json")
        assert answer.status_code == 201, answer.content
        return answer.json()

    return invite


def join(user, code):
    return client(user).post(JOIN, {"invitation": code}, format="json")


def refused(answer):
    return answer.status_code == 400 and answer.json()["code"] == "invitation_invalid"


def test_an_invitation_leads_in_once(invite, company, dora, home, alice):
    """Otherwise: nobody can be let in, or the same code lets in more than was meant."""
    made = invite("OPERATOR", email=" Dora@ACME.example")
    assert (made["email"], made["role"]) == (DORA, "operator")
    answer = join(dora, made["code"])
    assert answer.status_code == 201, answer.content
    assert answer.json() == {
        "id": str(company.organization.id),
        "name": "Acme",
        "role": "operator",
    }
    assert client(dora).get(f"/api/v1/orgs/{company.organization.id}/").status_code == 200
    assert alice.get(f"{home}{made['id']}/").status_code == 404
    assert refused(join(dora, made["code"]))


def test_the_code_is_shown_once_and_kept_nowhere(invite, alice, home):
    """Otherwise: whoever reads the database, a list or the audit comes in."""
    code = invite()["code"]
    assert len(code) >= 40
    assert Invitation.objects.get().digest == hashlib.sha256(code.encode()).hexdigest()
    everything = (alice.get(home).content, list(AuditEvent.objects.values()))
    assert code not in repr(everything)
    assert Invitation.objects.get().digest not in repr(everything)


def test_joining_and_withdrawing_are_on_record(invite, company, dora, home, alice):
    """Otherwise: nobody can say later who let whom in."""
    first = invite()
    assert alice.delete(f"{home}{first['id']}/").status_code == 204
    assert alice.delete(f"{home}{first['id']}/").status_code == 404
    assert refused(join(dora, first["code"]))
    second = invite()
    join(dora, second["code"])
    kinds = ["invitation_created", "invitation_withdrawn", "invitation_created", "member_added"]
    told = AuditEvent.objects.filter(organization=company.organization).order_by("-id")[:4]
    assert [event.event_type for event in told][::-1] == kinds
    joined = told[0]
    assert (joined.subject, joined.target) == (f"user:{dora.id}", f"user:{dora.id}")
    assert joined.event_data == {
        "email": DORA,
        "role": "operator",
        "invitation": second["id"],
        "invited_by": str(company.owner.id),
    }


def test_a_code_is_worth_nothing_to_others(invite, company, rival, dora):
    """Otherwise: whoever finds the code in a mailbox or a log comes in."""
    code = invite()["code"]
    assert refused(join(rival.owner, code))
    assert client().post(JOIN, {"invitation": code}, format="json").status_code == 401
    assert join(dora, code).status_code == 201


def test_a_late_code_is_worth_nothing(invite, dora):
    """Otherwise: a code in an old mail opens the door for ever."""
    code = invite()["code"]
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(join(dora, code))
    again = invite()  # nothing stands in its way
    assert join(dora, again["code"]).status_code == 201


@pytest.mark.parametrize("after", ["demoted", "suspended", "removed", "left", "inactive"])
def test_an_invitation_is_worth_what_its_giver_is(invite, company, dora, alice, after):
    """Otherwise: somebody who was let go comes back by way of a friend."""
    adam = company.hire("adam", "admin")
    code = invite("admin", client(adam))["code"]
    one = f"/api/v1/orgs/{company.organization.id}/members/{adam.id}/"
    if after == "demoted":
        alice.patch(one, {"role": "operator"}, format="json")
    elif after == "suspended":
        alice.patch(one, {"is_active": False}, format="json")
    elif after == "inactive":
        type(adam).objects.filter(id=adam.id).update(is_active=False)
    else:
        (alice if after == "removed" else client(adam)).delete(one)
    assert refused(join(dora, code))
    assert not OrganizationMembership.objects.filter(user=dora).exists()


def test_nobody_invites_above_their_own_role(company, home, invite, alice):
    """Otherwise: an admin makes an owner of a friend, or takes back what an owner gave."""
    adam = client(company.hire("adam", "admin"))
    body = {"email": DORA, "role": "owner"}
    assert adam.post(home, body, format="json").status_code == 403
    one = f"{home}{invite('owner')['id']}/"
    assert adam.delete(one).status_code == 403
    assert alice.delete(one).status_code == 204


@pytest.mark.parametrize("name", ["bob", "vera", "ada"])
def test_only_an_admin_invites(company, home, invite, name):
    """Otherwise: anybody opens the door to anybody."""
    browser, one = client(company.people[name]), f"{home}{invite()['id']}/"
    assert browser.post(home, {"email": "x@x.example"}, format="json").status_code == 403
    assert browser.delete(one).status_code == 403
    assert browser.get(home).status_code == (403 if name == "ada" else 200)


def test_whoever_was_removed_finds_no_way_back(invite, company, dora, alice, home):
    """Otherwise: an old invitation undoes a removal."""
    join(dora, invite()["code"])
    late = invite(email="d@acme.example")["code"]
    type(dora).objects.filter(id=dora.id).update(email="d@acme.example")
    members = f"/api/v1/orgs/{company.organization.id}/members/"
    assert alice.delete(f"{members}{dora.id}/").status_code == 204
    dora.refresh_from_db()
    assert refused(join(dora, late))


def test_an_invitation_goes_with_its_organization(invite, company, dora, alice):
    """Otherwise: a deleted organization comes to life in somebody's list."""
    code = invite()["code"]
    assert alice.delete(f"/api/v1/orgs/{company.organization.id}/").status_code == 204
    assert refused(join(dora, code))


def test_members_are_not_invited_again(invite, home, alice, company, dora):
    """Otherwise: an invitation changes the role of somebody who is in already, or two stand."""
    again = alice.post(home, {"email": "VERA@acme.example", "role": "admin"}, format="json")
    assert again.status_code == 409
    code = invite("admin")["code"]
    assert alice.post(home, {"email": DORA}, format="json").status_code == 409
    company.hire("eve", "viewer")
    type(dora).objects.filter(id=dora.id).delete()
    type(dora).objects.filter(id=company.people["eve"].id).update(email=DORA)
    company.people["eve"].refresh_from_db()
    assert join(company.people["eve"], code).status_code == 409
    assert OrganizationMembership.objects.get(user=company.people["eve"]).role == "viewer"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/email"),
        ({"email": "x"}, "/email"),
        ({"email": DORA, "role": "king"}, "/role"),
        ({"email": DORA, "ttl_seconds": 1}, "/ttl_seconds"),
        ({"email": DORA, "ttl_seconds": 10**9}, "/ttl_seconds"),
        ({"email": DORA, "code": "mine"}, "/code"),
        ([], ""),
    ],
)
def test_bad_input_is_told_by_its_field(home, alice, body, path):
    """Otherwise: somebody guesses for an hour what was wrong."""
    answer = alice.post(home, body, format="json")
    assert answer.status_code == 400, answer.content
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "X", "invitation": "y"},
        {"invitation": ""},
        {"invitation": "x" * 300},
        {"invitation": "not one"},
        {"invitation": None},
        {"invitation": "\u00e9\U0001f600"},
        [],
    ],
)
def test_what_is_no_code_leads_nowhere(dora, body):
    """Otherwise: a mistyped code breaks the server, or founds an organization."""
    assert client(dora).post(JOIN, body, format="json").status_code == 400
    assert client(dora).get(JOIN).json()["count"] == 0


def test_an_id_alone_leads_nowhere(company, dora):
    """Otherwise: whoever learns an organization's id is in."""
    for name in ("id", "organization", "organization_id", "org"):
        body = {name: str(company.organization.id)}
        answer = client(dora).post(JOIN, body, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, f"/{name}")
    assert not OrganizationMembership.objects.filter(user=dora).exists()


def test_strangers_see_no_invitations(home, invite, rival):
    """Otherwise: one tenant learns whom another is hiring."""
    charlie, one = client(rival.owner), f"{home}{invite()['id']}/"
    for path in (home, one, one.replace(home.split("/")[4], str(rival.organization.id))):
        assert charlie.get(path).status_code == 404
    assert charlie.delete(one).status_code == 404
    assert charlie.post(home, {"email": DORA}, format="json").status_code == 404
    assert client().get(home).status_code == 401


def test_a_list_costs_the_same_for_many_and_is_narrowed(home, alice, invite):
    """Otherwise: a large organization takes the server down, or finds nothing in its lists."""
    costs, numbers = [], count()
    for more in (1, 49):
        for _ in range(more):
            invite(email=f"n{next(numbers)}@acme.example")
        with CaptureQueriesContext(connection) as queries:
            assert alice.get(f"{home}?page_size=200").status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert alice.get(f"{home}?email=n7@acme.example").json()["count"] == 1
    first = alice.get(f"{home}?ordering=email&page_size=1").json()["results"]
    assert first[0]["email"] == "n0@acme.example"
