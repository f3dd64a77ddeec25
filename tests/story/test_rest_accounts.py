"""People make accounts where they may, and look after their names, address and password."""

import pytest
from knox.models import AuthToken

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.tenancy.invitations import invite
from agentxsuite.control.tenancy.models import OrganizationMembership, User
from agentxsuite.control.tenancy.tries import ACCOUNT
from tests import cast
from tests.cast import client

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]
REGISTER, LOGIN = "/api/v1/auth/register/", "/api/v1/auth/login/"
ME, PASSWORD = "/api/v1/auth/me/", "/api/v1/auth/me/password/"
DORA = "dora@acme.example"
OLD, NEW = "correct horse battery staple", "an even better long password"


@pytest.fixture
def register(settings):
    """Ask for an account, from an address of this test's own; anybody may, unless told."""
    settings.REGISTRATION = "open"

    def register(address, **facts):
        body = {"email": DORA, "password": OLD, **facts}
        return client().post(REGISTER, body, format="json", REMOTE_ADDR=address)

    return register


@pytest.fixture
def dora(register, request):
    """Somebody with an account and a password."""
    assert register(f"dora of {request.node.name}").status_code == 201
    return User.objects.get(email=DORA)


@pytest.fixture
def browser(dora, request):
    """Her device; tries are counted by test."""
    browser = client(dora)
    browser.defaults["REMOTE_ADDR"] = request.node.name
    return browser


def events(kind):
    return AuditEvent.objects.filter(event_type=kind)


def test_an_open_installation_lets_anybody_in(register):
    """Otherwise: on one's own machine nobody can begin without the command line."""
    answer = register("203.0.113.1", email=" Dora@ACME.example", first_name="Dora")
    assert answer.status_code == 201, answer.content
    assert set(answer.json()) == {"token", "expiry", "user"}
    shown = answer.json()["user"]
    assert (shown["email"], shown["first_name"], shown["is_operator"]) == (DORA, "Dora", False)
    browser = client()
    browser.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    assert browser.get(ME).json()["organizations"] == []
    made = events("user_created").get()
    assert made.subject == made.target == f"user:{shown['id']}"
    assert made.context["ip"] == "203.0.113.1"
    assert events("login").count() == 1
    assert OLD not in repr(list(AuditEvent.objects.values()))


def test_a_closed_installation_lets_nobody_in(register, settings, company):
    """Otherwise: strangers make accounts on a company's server."""
    settings.REGISTRATION = "closed"
    code = invite(company.actor, company.organization, DORA, "viewer").code
    for facts in ({}, {"invitation": code}):
        answer = register("203.0.113.2", **facts)
        assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")
    assert not User.objects.filter(email=DORA).exists()


def test_by_invitation_only_means_that(register, settings, company):
    """Otherwise: strangers make accounts, or whoever was invited cannot."""
    settings.REGISTRATION = "invite"
    assert register("203.0.113.3").json()["errors"][0]["path"] == "/invitation"
    elsewhere = invite(company.actor, company.organization, "eve@acme.example", "viewer").code
    for wrong in ("guessed", elsewhere):
        answer = register("203.0.113.3", invitation=wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "invitation_invalid")
    assert not User.objects.filter(email=DORA).exists()
    code = invite(company.actor, company.organization, DORA, "operator").code
    answer = register("203.0.113.3", invitation=code)
    assert answer.status_code == 201, answer.content
    member = OrganizationMembership.objects.get(user__email=DORA)
    assert (member.organization, member.role) == (company.organization, "operator")


def test_an_invitation_counts_where_none_is_needed_too(register, company):
    """Otherwise: whoever was invited registers and finds nothing, or half an account is left."""
    code = invite(company.actor, company.organization, DORA, "viewer").code
    assert register("203.0.113.4", invitation=code + "x").status_code == 400
    assert not User.objects.filter(email=DORA).exists()
    assert register("203.0.113.4", invitation=code).status_code == 201
    assert OrganizationMembership.objects.filter(user__email=DORA).count() == 1


def test_whoever_knows_no_code_learns_of_no_account(register, settings, company):
    """Otherwise: a stranger finds out by registering which addresses have an account."""
    settings.REGISTRATION = "invite"
    answers = [
        register("203.0.113.5", email=email, invitation="guessed")
        for email in (DORA, company.owner.email)
    ]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    ("facts", "status", "path"),
    [
        ({"email": "x"}, 400, "/email"),
        ({"password": "short"}, 400, "/password"),
        ({"password": DORA}, 400, "/password"),
        ({"password": 12}, 400, "/password"),
        ({"is_operator": True}, 400, "/is_operator"),
        ({"role": "owner"}, 400, "/role"),
        ({"first_name": "x" * 101}, 400, "/first_name"),
        ({"email": "ALICE@acme.example"}, 409, None),
    ],
)
def test_bad_input_makes_no_account(register, company, request, facts, status, path):
    """Otherwise: accounts are weak, doubled, or more than they should be."""
    before = User.objects.count()
    answer = register(request.node.name, **facts)
    assert answer.status_code == status, answer.content
    if path is not None:
        assert {fault["path"] for fault in answer.json()["errors"]} == {path}
    assert User.objects.count() == before


def test_registering_is_slowed_down_before_anything_is_hashed(register):
    """Otherwise: the server hashes passwords for strangers until it does nothing else."""
    answers = [register("203.0.113.6", password="short") for _ in range(ACCOUNT.burst + 1)]
    assert [answer.status_code for answer in answers] == [400] * ACCOUNT.burst + [429]
    assert int(answers[-1]["Retry-After"]) >= 1


def test_people_look_after_their_names(browser, dora):
    """Otherwise: whoever marries keeps the old name."""
    names = {"first_name": "Dora", "last_name": "Day"}
    assert browser.patch(ME, names, format="json").json()["last_name"] == "Day"
    assert browser.patch(ME, names, format="json").status_code == 200  # says nothing new
    answer = browser.put(ME, {"first_name": "D"}, format="json").json()
    assert (answer["first_name"], answer["last_name"], answer["email"]) == ("D", "", DORA)
    assert browser.put(ME, browser.get(ME).json(), format="json").status_code == 200
    told = [event.event_data["changes"] for event in events("user_changed").order_by("id")]
    assert [sorted(changes) for changes in told] == [["first_name", "last_name"]] * 2


def test_an_address_changes_with_the_password_only(browser, dora, company, register):
    """Otherwise: whoever finds a device left open takes the account over."""
    wanted = {"email": " Dora@New.example "}
    missing = browser.patch(ME, wanted, format="json")
    assert [fault["path"] for fault in missing.json()["errors"]] == ["/password"]
    wrong = browser.patch(ME, {**wanted, "password": "wrong"}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    assert events("login_failed").get().target == f"user:{dora.id}"
    taken = {"email": company.owner.email, "password": OLD}
    assert browser.patch(ME, taken, format="json").status_code == 409
    done = browser.patch(ME, {**wanted, "password": OLD}, format="json")
    assert done.json()["email"] == "dora@new.example"
    assert "password" not in done.json()
    assert browser.patch(ME, {"email": "DORA@new.example"}, format="json").status_code == 200
    change = events("user_changed").get().event_data["changes"]
    assert change == {"email": {"from": DORA, "to": "dora@new.example"}}


@pytest.mark.parametrize("facts", [{"is_operator": True}, {"id": "x"}, {"organizations": []}])
def test_nobody_gives_themselves_rights(browser, dora, facts):
    """Otherwise: anybody becomes operator of the installation."""
    before = browser.get(ME).json()
    assert browser.patch(ME, facts, format="json").json() == before
    assert browser.patch(ME, {"is_active": True}, format="json").status_code == 400


def test_a_new_password_ends_every_other_device(browser, dora):
    """Otherwise: whoever stole a login keeps it when the password is changed."""
    stolen = client(dora)
    body = {"password": OLD, "new_password": NEW}
    assert browser.post(PASSWORD, body, format="json").status_code == 204
    assert browser.get(ME).status_code == 200
    assert stolen.get(ME).status_code == 401
    answers = [
        client().post(LOGIN, {"email": DORA, "password": word}, format="json", REMOTE_ADDR="x")
        for word in (OLD, NEW)
    ]
    assert [answer.status_code for answer in answers] == [401, 200]
    told = events("password_changed").get()
    assert told.event_data == {"logins_ended": 2}  # with the one of her registration
    assert NEW not in repr(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"password": "wrong", "new_password": NEW}, 403),
        ({"password": OLD, "new_password": "short"}, 400),
        ({"password": OLD, "new_password": DORA}, 400),
        ({"new_password": NEW}, 400),
        ({"password": OLD}, 400),
        ({"password": OLD, "new_password": NEW, "user": "x"}, 400),
        ([], 400),
    ],
)
def test_a_bad_change_leaves_the_password(browser, dora, body, status):
    """Otherwise: a stolen token is enough to lock a person out, or a weak password gets in."""
    answer = browser.post(PASSWORD, body, format="json")
    assert answer.status_code == status, answer.content
    if "short" in str(body):
        assert {fault["path"] for fault in answer.json()["errors"]} == {"/new_password"}
    dora.refresh_from_db()
    assert dora.check_password(OLD)
    assert AuthToken.objects.filter(user=dora).count() == 2


def test_a_stolen_token_cannot_try_passwords(browser, dora):
    """Otherwise: the password is guessed by way of its change."""
    body = {"password": "wrong", "new_password": NEW}
    answers = [browser.post(PASSWORD, body, format="json") for _ in range(ACCOUNT.burst + 1)]
    assert [answer.status_code for answer in answers] == [403] * ACCOUNT.burst + [429]


def test_nobody_changes_what_is_nobodys(db):
    """Otherwise: these doors open without a login."""
    for method, path in (("get", ME), ("put", ME), ("patch", ME), ("post", PASSWORD)):
        assert getattr(client(), method)(path, {}, format="json").status_code == 401
