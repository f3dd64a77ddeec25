"""What every page has: its language, and headers by which no browser is tricked."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation.trans_real import parse_accept_lang_header

from agentxsuite.console.words import LANGUAGES, WORDS
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.problems import Problem
from agentxsuite.control.tenancy.models import User

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # without any, a form has no origin, either
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{}; "
    "frame-ancestors 'none'; base-uri 'none'"
)

Place = ParamSpec("Place")  # what stands in the path
View = Callable[Concatenate[HttpRequest, Place], HttpResponse]


def page(
    request: HttpRequest, name: str, facts: dict[str, Any], *, status: int = 200, leads_to: str = ""
) -> HttpResponse:
    """Render a page; `leads_to` is where, beside here, its form may end up."""
    words = WORDS[language(request)]
    known = {"words": words, "language": language(request), "here": settings.PUBLIC_URL, **facts}
    response = render(request, f"console/{name}.html", known, status=status)
    source = f" {leads_to}" if leads_to else ""
    response["Content-Security-Policy"] = POLICY.format(source)
    response["Vary"] = "Accept-Language, Cookie"
    response["Content-Language"] = language(request)
    for header, value in HEADERS.items():
        response[header] = value
    return response


def message(request: HttpRequest, key: str, detail: str = "", status: int = 400) -> HttpResponse:
    """Tell one thing, and nothing can be done on this page."""
    words = WORDS[language(request)]
    told = {"title": words[f"{key}_title"], "text": words[key], "detail": detail}
    return page(request, "message", told, status=status)


def language(request: HttpRequest) -> str:
    """Return the language, of those the pages speak, that the browser likes best (RFC 9110)."""
    wanted = request.headers.get("Accept-Language", "")[:500]
    for tag, _ in parse_accept_lang_header(wanted.lower()):
        if (code := tag.partition("-")[0]) in LANGUAGES:
            return code
    return LANGUAGES[0]


def sentence(request: HttpRequest, key: str) -> str:
    """Return one sentence in the language of the browser."""
    return WORDS[language(request)][key]


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django names it
    """Answer a form that did not come from a page of ours."""
    return message(request, "stale", status=403)


def hence(path: str) -> HttpResponseRedirect:
    """Send the browser to another page of ours."""
    return HttpResponseRedirect(f"{settings.PUBLIC_URL}{path}")


def actor(request: HttpRequest, user: User | None = None) -> Actor:
    """Return who acts in a browser."""
    address = request.META.get("REMOTE_ADDR", "")
    browser = request.headers.get("User-Agent", "")[:200]
    if user is None:
        return Actor("anonymous", None, address, browser)
    return Actor.person(user, address, browser)


def answers(*methods: str) -> Callable[[View[Place]], View[Place]]:
    """Return what makes a page of a view: it answers to some methods, and problems are pages."""

    def paged(view: View[Place]) -> View[Place]:
        @wraps(view)
        def answer(
            request: HttpRequest, /, *args: Place.args, **kwargs: Place.kwargs
        ) -> HttpResponse:
            if request.method not in methods:
                return message(request, "stale", status=405)
            try:
                return view(request, *args, **kwargs)
            except Problem as problem:
                key = problem.code if problem.code in WORDS[LANGUAGES[0]] else "problem"
                return message(request, key, status=problem.status)

        answer.actions = {m.lower(): m for m in methods}  # type: ignore[attr-defined]  # for the table of routes
        return answer

    return paged
