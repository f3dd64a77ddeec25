"""What a page and its cookies carry, whichever browser comes."""

import pytest
from django.test import Client

from tests.browser.conftest import PASSWORD, with_password

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def bob(company, settings):
    settings.HTTPS, settings.SESSION_COOKIE = True, "__Host-agentxsuite"
    with_password(company.people["bob"])
    return company.people["bob"]


def test_with_https_no_neighbour_can_set_or_read_the_login(bob):
    """Otherwise: another site of the same company, or a wire without TLS, has the login."""
    browser = Client()
    answer = browser.post("/login/", {"email": bob.email, "password": PASSWORD, "next": ""})
    assert answer.status_code == 200
    cookie = answer.cookies["__Host-agentxsuite"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", "")
    ended = browser.post("/logout/", {"next": "https://evil.example/"})
    assert ended.status_code == 200
    assert ended.cookies["__Host-agentxsuite"].value == ""
    browser.cookies["__Host-agentxsuite"] = cookie.value
    assert b"logged out" in browser.post("/logout/").content


def test_a_form_needs_the_token_of_its_page(bob):
    """Otherwise: another site logs a person in as somebody else, and they do not notice."""
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/login/", {"email": bob.email, "password": PASSWORD})
    assert (answer.status_code, answer["Cache-Control"]) == (403, "no-store")
    assert "__Host-agentxsuite" not in answer.cookies


def test_pages_answer_what_they_are_for_and_nothing_odd_breaks_them(bob):
    """Otherwise: an odd request is a defect of ours in the log."""
    browser = Client()
    assert browser.get("/logout/").status_code == 405
    for email in ("\x00", "a" * 5000, ""):
        fields = {"email": email, "password": "\x00" * 2000}
        answer = browser.post("/login/", fields)
        assert answer.status_code == 403, email
    browser.cookies["__Host-agentxsuite"] = "0" * 64
    assert browser.get("/login/", headers={"Accept-Language": "xx;q=b, fr, de"}).status_code == 200
    answer = browser.get("/login/", headers={"Accept-Language": "fr-CH, de;q=0.7, en;q=0.3"})
    assert (answer["Content-Language"], "Passwort" in answer.text) == ("de", True)
