"""Whoever guesses passwords is stopped before the server hashes for them, at every door."""

import pytest

from agentxsuite.control.tenancy.models import User
from agentxsuite.control.tenancy.tries import ACCOUNT, ADDRESS
from tests import cast
from tests.cast import client
from tests.story.hashing import Counted

company = cast.company  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]
PASSWORD = "correct horse battery staple"
LOGIN, REGISTER, CHANGE = (f"/api/v1/auth/{door}/" for door in ("login", "register", "me/password"))


@pytest.fixture
def hashed(settings):
    """How many passwords were hashed since the last look."""
    settings.PASSWORD_HASHERS = ["tests.story.hashing.Counted"]

    def hashed():
        found, Counted.hashed = Counted.hashed, 0
        return found

    hashed()
    return hashed


@pytest.fixture
def alice(company, hashed):
    company.owner.set_password(PASSWORD)
    company.owner.save()
    hashed()
    return company.owner


def statuses(door, bodies, address, **headers):
    """What each of many requests from one address is answered, and the last answer."""
    browser = client()
    answers = [
        browser.post(door, body, format="json", REMOTE_ADDR=address, **headers) for body in bodies
    ]
    return [answer.status_code for answer in answers], answers[-1]


def test_a_thousand_guesses_from_one_address_are_a_few_hashes(alice, hashed):
    """Otherwise: one machine tries the passwords of a whole company, and nobody else gets in."""
    guesses = [{"email": f"person{n}@acme.example", "password": "guess"} for n in range(1000)]
    answered, last = statuses(LOGIN, guesses, "198.51.100.61")
    let_through = answered.count(401)
    assert let_through + answered.count(429) == len(guesses)
    assert ADDRESS.burst <= let_through == hashed() < 2 * ADDRESS.burst
    assert int(last["Retry-After"]) == last.json()["retry_after"] >= 1

    right = {"email": alice.email, "password": PASSWORD}
    assert statuses(LOGIN, [right], "198.51.100.62")[0] == [200]


def test_one_account_is_guessed_less_often_still(alice, hashed):
    """Otherwise: every account of a shared address is tried a thousand times an hour."""
    guesses = [{"email": spelt, "password": "x"} for spelt in [alice.email, "ALICE@Acme.Example "]]
    answered, _ = statuses(LOGIN, guesses * ACCOUNT.burst, "198.51.100.63")
    assert answered == [401] * ACCOUNT.burst + [429] * ACCOUNT.burst
    assert hashed() == ACCOUNT.burst


@pytest.mark.parametrize("email", ["alice@acme.example", "nobody@acme.example", "off@acme.example"])
def test_an_unknown_account_costs_as_much_as_a_known_one(company, alice, hashed, email):
    """Otherwise: how long a refusal takes tells who has an account."""
    if email.startswith("off"):
        User.objects.create(email=email, password=alice.password, is_active=False)
    answered, last = statuses(LOGIN, [{"email": email, "password": "x"}], "198.51.100.64")
    assert (answered, last.json()["code"], hashed()) == ([401], "wrong_credentials", 1)


def test_making_accounts_is_counted_too(db, hashed, settings):
    """Otherwise: a stranger lets the server hash by making accounts."""
    settings.REGISTRATION = "open"
    accounts = [
        {"email": f"new{n}@acme.example", "password": "short"} for n in range(2 * ADDRESS.burst)
    ]
    answered, last = statuses(REGISTER, accounts, "198.51.100.65")
    let_through = answered.count(400)
    assert ADDRESS.burst <= let_through < len(accounts)
    assert let_through + answered.count(429) == len(accounts)
    assert "Retry-After" in last
    assert hashed() <= let_through


def test_the_password_is_not_guessed_by_changing_it(alice, hashed):
    """Otherwise: a stolen login finds the password, and with it every other door."""
    right = {"email": alice.email, "password": PASSWORD}
    token = client().post(LOGIN, right, format="json", REMOTE_ADDR="198.51.100.66").json()["token"]
    hashed()
    change = {"password": "guess", "new_password": "a whole new password"}
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    tries = 2 * ACCOUNT.burst
    answered, last = statuses(CHANGE, [change] * tries, "198.51.100.67", **bearer)
    assert answered == [403] * ACCOUNT.burst + [429] * (tries - ACCOUNT.burst)
    assert hashed() == ACCOUNT.burst
    assert "Retry-After" in last
