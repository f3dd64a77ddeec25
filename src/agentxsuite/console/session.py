"""Who sits at the browser: a login token of theirs in a cookie that no script can read.

The token is of the same kind as those of the REST API, so whatever ends those ends this one too:
logging out, a new password, an account that is closed. The REST API takes no cookie.
"""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from agentxsuite import masking
from agentxsuite.control.tenancy.authentication import LOGIN_TOKEN
from agentxsuite.control.tenancy.login import Login
from agentxsuite.control.tenancy.models import User

LASTING: Final = timedelta(hours=12)


def person(request: HttpRequest) -> User | None:
    """Return who is logged in at this browser, if anybody is."""
    found = _session(request)
    return found[0] if found else None


def login_token(request: HttpRequest) -> AuthToken | None:
    """Return the login of this browser, if there is one."""
    found = _session(request)
    return found[1] if found else None


def begin(response: HttpResponse, login: Login) -> HttpResponse:
    """Let the browser carry a login until it is closed."""
    response.set_cookie(
        settings.SESSION_COOKIE,
        login.token,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",  # people come here from their client, by a link
    )
    return response


def finish(response: HttpResponse) -> HttpResponse:
    """Let the browser forget its login."""
    response.set_cookie(
        settings.SESSION_COOKIE, "", max_age=0, secure=settings.HTTPS, httponly=True, samesite="Lax"
    )
    return response


def _session(request: HttpRequest) -> tuple[User, AuthToken] | None:
    token = request.COOKIES.get(settings.SESSION_COOKIE, "").encode("utf-8", "replace")
    if not LOGIN_TOKEN.fullmatch(token):
        return None
    try:
        user, row = TokenAuthentication().authenticate_credentials(token)
    except AuthenticationFailed:
        return None
    masking.learn(token.decode())
    return user, row
