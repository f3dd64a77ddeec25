"""People: their addresses, their passwords, and how they log in."""

import pytest
from django.contrib.auth.hashers import get_hasher
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory

from agentxsuite.control.tenancy.authentication import LoginTokenAuthentication
from agentxsuite.control.tenancy.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def token():
    """A login token of a new user."""
    return AuthToken.objects.create(User.objects.create_user("ada@example.org", "pass"))[1]


@pytest.fixture
def log_in():
    """Ask who sends a request with this header."""

    def log_in(header):
        request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=header)
        return LoginTokenAuthentication().authenticate(request)

    return log_in


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer"])
def test_a_login_token_says_who_asks(token, log_in, scheme):
    """A client that is logged in is told that it is not."""
    user, _ = log_in(f"{scheme} {token}")
    assert user.email == "ada@example.org"


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bear"])
def test_other_headers_are_left_to_others(token, log_in, header):
    """A request without a token is refused where none is needed."""
    assert log_in(header) is None


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer {}x", "Bearer x{}", "Token {} {}", "Bearer \xff"]
)
def test_a_wrong_token_is_refused(token, log_in, header):
    """Somebody without a token gets in, or takes the server down."""
    with pytest.raises(AuthenticationFailed):
        log_in(header.format(token, token))


def test_an_address_is_one_in_any_case():
    """Somebody who writes their address with a capital cannot log in."""
    user = User.objects.create_user(" Ada@Example.ORG ")
    assert user.email == "ada@example.org"
    assert User.objects.get_by_natural_key("ADA@example.org") == user
    assert not user.has_usable_password()


def test_passwords_cost_what_they_should():
    """Stolen password hashes are cheap to try."""
    user = User.objects.create_user("ada@example.org", "pass")
    facts = get_hasher("default").decode(user.password)
    assert user.check_password("pass")
    assert (facts["variety"], facts["memory_cost"]) == ("argon2id", 19 * 1024)
    assert (facts["time_cost"], facts["parallelism"]) == (2, 1)
