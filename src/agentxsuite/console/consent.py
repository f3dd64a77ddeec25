"""The page on which a person lets a client act as one of their agents (OAuth 2.1, RFC 9700).

The request stands in the address, and is read from there again when the form comes: nothing of it
can be changed on the way. What the form adds is the agent, and yes or no.
"""

import re
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.oauth2_backends import get_oauthlib_core

from agentxsuite.console import session
from agentxsuite.console.pages import actor, answers, hence, message, page, sentence
from agentxsuite.control.agents.models import Agent
from agentxsuite.control.oauth import grants
from agentxsuite.control.oauth.endpoints import known
from agentxsuite.control.oauth.grants import Choice
from agentxsuite.control.oauth.models import Client
from agentxsuite.control.oauth.places import Place, place_of
from agentxsuite.control.oauth.redirects import LOOPBACK, host_of
from agentxsuite.control.problems import Forbidden, NotFound
from agentxsuite.control.tenancy.models import User
from agentxsuite.control.tenancy.scope import changing, seeing

CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # of SHA-256 (RFC 7636, section 4.2)
FORM: Final = {"agent", "answer", "csrfmiddlewaretoken"}
BAD: Final = 400


class Asked(NamedTuple):
    """What a client asks for: everything here has been checked."""

    client: Client
    place: Place
    scopes: list[str]
    credentials: dict[str, Any]

    @property
    def redirect(self) -> str:
        """Where the answer goes."""
        return str(self.credentials["redirect_uri"])


class SentBack(Exception):
    """What the client asks is told to the client, by way of the browser."""

    def __init__(self, redirect: str, error: str, detail: str, state: str | None) -> None:
        super().__init__(detail)
        self.address = answered(redirect, error=error, error_description=detail, state=state)


@answers("GET", "POST")
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask who it is, then whether the client may, and send the answer to the client."""
    if {*request.POST} - FORM:
        return message(request, "stale", status=BAD)
    try:
        asked = read(request)
        user = session.person(request)
        if user is None:
            return hence(f"/login/?{urlencode({'next': request.get_full_path()})}")
        return ask(request, asked, user) if request.method == "GET" else take(request, asked, user)
    except SentBack as sent:
        return HttpResponseRedirect(sent.address)
    except FatalClientError as error:
        told = str(error.oauthlib_error.description or "")
        return message(request, "bad_client", told, BAD)


def read(request: HttpRequest) -> Asked:
    """Return what the address asks for; raises FatalClientError, or SentBack."""
    known(request.GET.get("client_id", ""))
    core, lone = get_oauthlib_core(), request_of(request)
    try:
        scopes, credentials = core.validate_authorization_request(lone)
    except FatalClientError:
        raise
    except OAuthToolkitError as error:
        raise refused(error, request.GET.get("redirect_uri", "")) from None
    credentials.pop("request")
    redirect, state = credentials["redirect_uri"], credentials["state"]
    challenge = credentials["code_challenge"]
    if credentials["code_challenge_method"] != "S256" or not CHALLENGE.fullmatch(challenge):
        raise SentBack(redirect, "invalid_request", "PKCE with S256 is needed.", state)
    resources = request.GET.getlist("resource")
    place = place_of(resources[0]) if len(resources) == 1 else None
    if place is None:
        told = "resource must be one MCP address of an environment of this server."
        raise SentBack(redirect, "invalid_target", told, state)
    client = Client.objects.get(client_id=credentials["client_id"])
    return Asked(client, place, list(scopes), {**credentials, "resource": resources[0]})


def request_of(request: HttpRequest) -> Any:
    """Return the request without what a form added to it."""
    lone = HttpRequest()
    lone.method, lone.META = "GET", request.META
    lone.path, lone.path_info, lone.GET = request.path, request.path_info, request.GET
    return lone


def ask(request: HttpRequest, asked: Asked, user: User) -> HttpResponse:
    """Show who asks for what, and which agents there are."""
    try:
        with seeing([asked.place.organization]):
            choice = grants.choice_for(user, asked.place)
            return shown(request, asked, user, choice)
    except (NotFound, Forbidden) as problem:
        return closed(request, asked, user, problem)


def take(request: HttpRequest, asked: Asked, user: User) -> HttpResponse:
    """Take the person's answer to the client; raises SentBack for a no."""
    if request.POST.get("answer") != "allow":
        return declined(request, asked, user)
    with changing(asked.place.organization):
        choice = grants.choice_for(user, asked.place)
        agent = next((a for a in choice.agents if str(a.id) == request.POST.get("agent")), None)
        if agent is None:
            return shown(request, asked, user, choice, "choose_agent", BAD)
        return HttpResponseRedirect(granted(request, asked, user, agent))


def granted(request: HttpRequest, asked: Asked, user: User, agent: Agent) -> str:
    """Make a code for the client; returns where the browser takes it. Raises Forbidden."""
    lone = request_of(request)
    lone.user = user
    credentials = {**asked.credentials, "agent": agent}
    try:
        address, _, _, _ = get_oauthlib_core().create_authorization_response(
            lone, asked.scopes, credentials, allow=True
        )
    except OAuthToolkitError as error:
        raise refused(error, asked.redirect) from None
    return str(address)


def declined(request: HttpRequest, asked: Asked, user: User) -> HttpResponse:
    """Tell the client no; it is on record where the person belongs to the organization."""
    try:
        with seeing([asked.place.organization]):
            grants.choice_for(user, asked.place)
            grants.refuse(actor(request, user), asked.client, asked.place)
    except (NotFound, Forbidden):
        pass
    told = "The person said no."
    raise SentBack(asked.redirect, "access_denied", told, asked.credentials["state"])


def shown(
    request: HttpRequest,
    asked: Asked,
    user: User,
    choice: Choice,
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    """The question, in the person's language."""
    facts = {
        **about(request, asked, user),
        "environment": choice.environment,
        "organization": choice.environment.organization,
        "agents": choice.agents,
        "scopes": [(scope, sentence(request, scope)) for scope in asked.scopes],
        "fault": sentence(request, fault) if fault else "",
    }
    return page(request, "consent", facts, status=status, leads_to=source_of(asked.redirect))


def closed(
    request: HttpRequest, asked: Asked, user: User, problem: NotFound | Forbidden
) -> HttpResponse:
    """Tell that this person cannot let anybody in there."""
    key = "role_too_low" if isinstance(problem, Forbidden) else "no_environment"
    facts = {**about(request, asked, user), "text": sentence(request, key)}
    leads_to = source_of(asked.redirect)
    return page(request, "closed", facts, status=problem.status, leads_to=leads_to)


def about(request: HttpRequest, asked: Asked, user: User) -> dict[str, Any]:
    """What both pages tell: who asks, where the answer goes, who is logged in."""
    host = host_of(asked.redirect)
    return {
        "client": asked.client.name or asked.client.client_id,
        "proven": asked.client.client_id if asked.client.client_id.startswith("https:") else "",
        "host": host,
        "local": urlsplit(asked.redirect).hostname in LOOPBACK,
        "email": user.email,
        "address": request.get_full_path(),
    }


def refused(error: OAuthToolkitError, redirect: str) -> SentBack:
    """Return the toolkit's refusal of a request whose redirect URI is right."""
    told = error.oauthlib_error
    where = getattr(told, "redirect_uri", None) or redirect
    return SentBack(where, told.error, told.description or "", getattr(told, "state", None))


def answered(redirect: str, **facts: str | None) -> str:
    """Return a redirect URI with an answer, and who gives it (RFC 9207)."""
    parts = urlsplit(redirect)
    own = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "iss"]
    told = [(name, value) for name, value in facts.items() if value]
    query = urlencode([*own, *told, ("iss", settings.PUBLIC_URL)])
    return urlunsplit(parts._replace(query=query))


def source_of(redirect: str) -> str:
    """Return a redirect URI's origin as a source that a form may lead to (CSP 3, 2.3.1).

    There is no way to write an IPv6 address there: for one it is the scheme alone.
    """
    parts = urlsplit(redirect)
    return f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}"
