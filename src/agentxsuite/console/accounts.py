"""The pages on which people connect an account of their own at a connection's server."""

from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from agentxsuite.console import session
from agentxsuite.console.pages import actor, answers, hence, message, page
from agentxsuite.control.catalog.accounts import begin, finish
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.problems import NotFound
from agentxsuite.control.rest.elsewhere import wait_for
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role, User
from agentxsuite.control.tenancy.scope import seeing

TOLD: Final = ("code", "state", "iss", "error")


@answers("GET")
def connect(request: HttpRequest) -> HttpResponse:
    """Say where the person is led, and lead them there: only their own click does."""
    user = session.person(request)
    if user is None:
        return to_login(request)
    row = connection_of(user, request.GET.get("connection", ""))
    url = wait_for(request, begin, row, user)
    host = urlsplit(url).netloc
    return page(request, "connect", {"name": row.name, "url": url, "host": host, "user": user})


@answers("GET")
def callback(request: HttpRequest, connection: UUID) -> HttpResponse:
    """Take what the other server sent the person back with."""
    user = session.person(request)
    if user is None:
        return to_login(request)
    told = {name: request.GET[name] for name in TOLD if name in request.GET}
    row = wait_for(request, finish, actor(request, user), user, connection, told)
    return message(request, "account_connected", row.name, status=200)


def to_login(request: HttpRequest) -> HttpResponse:
    """Ask who it is, and go on here."""
    return hence(f"/login/?{urlencode({'next': request.get_full_path()})}")


def connection_of(user: User, text: str) -> Connection:
    """Return the connection, where the person may use it; raises NotFound, Forbidden."""
    try:
        identifier = UUID(text)
    except ValueError:
        raise NotFound from None
    with seeing():
        return access.within(access.admitted(user), Connection, identifier, Role.OPERATOR)
