"""People log in, see who they are, and log out again; whoever guesses is slowed down."""

import pytest
from django.contrib.auth.hashers import make_password
from knox.models import AuthToken

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.tenancy.tries import ACCOUNT
from tests import cast
from tests.cast import client

company = cast.company  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]
PASSWORD = "correct horse battery staple"
LOGIN = "/api/v1/auth/login/"


@pytest.fixture
def alice(company):
    company.owner.set_password(PASSWORD)
    company.owner.save()
    return company.owner


@pytest.fixture
def log_in():
    """Log in from an address of this test's own, so that tests do not slow each other down."""

    def log_in(email, password, address="198.51.100.1"):
        body = {"email": email, "password": password}
        return client().post(LOGIN, body, format="json", REMOTE_ADDR=address)

    return log_in


def events(kind):
    return AuditEvent.objects.filter(event_type=kind)


def test_a_login_token_opens_the_api_until_it_is_given_back(alice, log_in):
    """Otherwise: people cannot get in, or cannot get out."""
    answer = log_in(" Alice@ACME.example", PASSWORD)
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "expiry", "user"}
    assert answer.json()["user"]["email"] == alice.email

    browser = client()
    browser.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    me = browser.get("/api/v1/auth/me/")
    assert [place["role"] for place in me.json()["organizations"]] == ["owner"]
    assert browser.post("/api/v1/auth/logout/").status_code == 204
    assert browser.get("/api/v1/auth/me/").status_code == 401

    assert events("login").get().subject == f"user:{alice.id}"
    assert events("login").get().context["ip"] == "198.51.100.1"
    assert events("logout").count() == 1


def test_each_device_has_a_token_of_its_own(alice, log_in):
    """Otherwise: logging out on one device throws a person out everywhere."""
    address = "198.51.100.2"
    tokens = [log_in(alice.email, PASSWORD, address).json()["token"] for _ in range(2)]
    phone, desk = client(), client()
    phone.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens[0]}")
    desk.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens[1]}")
    phone.post("/api/v1/auth/logout/")
    assert phone.get("/api/v1/orgs/").status_code == 401
    assert desk.get("/api/v1/orgs/").status_code == 200


@pytest.mark.parametrize("email", ["alice@acme.example", "nobody@acme.example"])
def test_a_wrong_password_says_nothing_about_the_account(alice, log_in, email):
    """Otherwise: a guesser learns which addresses have an account, or leaves no trace."""
    answer = log_in(email, "wrong", "198.51.100.3")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "wrong_credentials"
    failure = events("login_failed").get()
    assert (failure.decision, failure.event_data) == ("deny", {"email": email})
    assert failure.target == (f"user:{alice.id}" if "alice" in email else "user:unknown")


def test_the_inactive_do_not_get_in(alice, log_in):
    """Otherwise: a person who left still has the right password."""
    alice.is_active = False
    alice.save()
    assert log_in(alice.email, PASSWORD, "198.51.100.4").status_code == 401


def test_guessing_is_slowed_down_before_anything_is_hashed(alice, log_in):
    """Otherwise: passwords are guessed by the thousand, and the server hashes for strangers."""
    answers = [log_in(alice.email, "wrong", "198.51.100.5") for _ in range(ACCOUNT.burst + 1)]
    assert [answer.status_code for answer in answers] == [401] * ACCOUNT.burst + [429]
    assert int(answers[-1]["Retry-After"]) == answers[-1].json()["retry_after"] >= 1
    assert events("login_failed").count() == ACCOUNT.burst
    assert log_in(alice.email, PASSWORD, "198.51.100.6").status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"email": "x"}, {"email": "a@b.example", "password": 1}, [], "x", None]
)
def test_what_is_no_login_is_told_where(log_in, body):
    """Otherwise: a client developer has to guess what was wrong with the request."""
    answer = client().post(LOGIN, body, format="json")
    assert answer.status_code in {400, 401}
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "credential",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer " + "0" * 64,
        "Bearer \u00ff",
        "Basic eDp5",
        "Token a b",
    ],
)
def test_no_credential_but_a_login_token_opens_the_api(credential):
    """Otherwise: a forged, foreign or garbled credential gets in, or breaks the server."""
    answer = client().get("/api/v1/orgs/", HTTP_AUTHORIZATION=credential)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


def test_passwords_are_hashed_as_owasp_advises(alice):
    """Otherwise: a stolen database gives the passwords away."""
    assert make_password(PASSWORD).startswith("argon2id$argon2id$v=19$m=19456,t=2,p=1$")
    token = AuthToken.objects.create(alice)[1]
    assert token not in str(AuthToken.objects.values())
