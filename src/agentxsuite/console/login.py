"""The page on which a person logs in, with the same code and limits as over the REST API."""

import re

from django.http import HttpRequest, HttpResponse

from agentxsuite.console import session
from agentxsuite.console.pages import actor, answers, hence, message, page, sentence
from agentxsuite.control.problems import Throttled
from agentxsuite.control.tenancy import login

# The places that people are sent on to.
ONWARD = re.compile(r"/(oauth/authorize|account/connect|account/callback/[0-9a-f-]{36})/\?.*")
LONGEST = 8000  # characters of an address
WRONG, TOO_OFTEN = 403, 429


@answers("GET", "POST")
def log_in(request: HttpRequest) -> HttpResponse:
    """Ask for e-mail address and password, then go on where the person came from."""
    onward = safe(request.POST.get("next") or request.GET.get("next", ""))
    if request.method != "POST":
        return form(request, onward)
    email, password = request.POST.get("email", ""), request.POST.get("password", "")
    try:
        opened = login.log_in(actor(request), typed(email), password[:1024], session.LASTING)
    except login.WrongCredentials:
        return form(request, onward, "wrong_credentials", email, WRONG)
    except Throttled as throttled:
        response = form(request, onward, "throttled", email, TOO_OFTEN)
        response["Retry-After"] = str(throttled.retry_after)
        return response
    if onward:
        return session.begin(hence(onward), opened)
    return session.begin(message(request, "logged_in", status=200), opened)


@answers("POST")
def log_out(request: HttpRequest) -> HttpResponse:
    """Forget this browser's login; somebody else may log in."""
    onward = safe(request.POST.get("next", ""))
    user, token = session.person(request), session.login_token(request)
    if user is not None and token is not None:
        login.log_out(actor(request, user), user, token)
    return session.finish(hence(onward) if onward else message(request, "logged_out", status=200))


def form(
    request: HttpRequest, onward: str, fault: str = "", email: str = "", status: int = 200
) -> HttpResponse:
    """The form, with what was wrong the last time."""
    told = sentence(request, fault) if fault else ""
    return page(request, "login", {"next": onward, "fault": told, "email": email}, status=status)


def typed(email: str) -> str:
    """Return an address as a person can type it; raises WrongCredentials for what none can."""
    if not email.isprintable():
        raise login.WrongCredentials
    return email[:254]


def safe(onward: str) -> str:
    """Return where to go on, if that is a page of ours; nobody is sent anywhere else."""
    fine = ONWARD.fullmatch(onward) and onward.isascii() and onward.isprintable()
    return onward if fine and "\\" not in onward and len(onward) <= LONGEST else ""
