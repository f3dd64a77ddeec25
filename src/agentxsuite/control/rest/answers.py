"""From exceptions to `application/problem+json`: Django's, the REST framework's and ours."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from agentxsuite import wire
from agentxsuite.control.problems import Fault, Forbidden, Invalid, NotFound, Problem
from agentxsuite.wire import JSON

PROBLEM_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Authentication needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    415: "Unsupported media type",
    429: "Too many requests",
}
CODES = {
    "not_authenticated": "unauthenticated",
    "authentication_failed": "unauthenticated",
    "permission_denied": "forbidden",
    "parse_error": "malformed_json",
    "throttled": "rate_limited",
}


def problem_handler(error: Exception, _context: Any) -> Response | None:
    """Answer what a view raised; None, and so a 500, for a defect of ours."""
    if isinstance(error, Http404):
        error = NotFound()
    elif isinstance(error, PermissionDenied):
        error = Forbidden("You may not do this.")
    elif isinstance(error, exceptions.ValidationError):
        error = invalid(error.detail)
    set_rollback()
    if isinstance(error, Problem):
        return _response(error.document(), error.headers())
    if isinstance(error, exceptions.APIException):
        return _response(_document(error), _headers(error))
    return None


def invalid(detail: JSON) -> Invalid:
    """Return what a serializer found, as one problem with a fault for each message."""
    found = list(faults(detail))
    first = found[0]
    return Invalid(f"{first['path']}: {first['message']}".removeprefix(": "), found)


def faults(detail: JSON, path: str = "") -> Iterator[Fault]:
    """Flatten a serializer's nested errors; a path is a JSON Pointer into the body."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            whole = name == api_settings.NON_FIELD_ERRORS_KEY
            step = "" if whole else "/" + str(name).replace("~", "~0").replace("/", "~1")
            yield from faults(inner, path + step)
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            yield from faults(inner, f"{path}/{number}" if isinstance(inner, dict) else path)
    else:
        yield {"path": path, "message": str(detail)}


def missing(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """Answer an address that leads nowhere exactly as a thing that is not there."""
    return plain(NotFound())


def unreadable(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """Answer a request that Django itself refuses, such as one for a foreign host name."""
    return plain(Invalid("The request is not one we can read."))


def broken(_request: HttpRequest) -> HttpResponse:
    """Answer a defect of ours without telling anything about it."""
    return plain(Problem("internal_error", "Something went wrong here. It has been logged."))


def plain(problem: Problem) -> HttpResponse:
    """Answer a problem without the REST framework's help."""
    body = wire.dumps(problem.document())
    return HttpResponse(
        body, status=problem.status, headers=problem.headers(), content_type=PROBLEM_TYPE
    )


def _response(document: dict[str, JSON], headers: Any) -> Response:
    return Response(document, status=document["status"], headers=headers, content_type=PROBLEM_TYPE)


def _document(error: exceptions.APIException) -> dict[str, JSON]:
    codes = error.get_codes()
    code = CODES.get(str(codes), str(codes))
    return {
        "type": f"urn:agentxsuite:problem:{code}",
        "title": TITLES.get(error.status_code, "Problem"),
        "status": error.status_code,
        "detail": str(error.detail),
        "code": code,
    }


def _headers(error: exceptions.APIException) -> dict[str, str]:
    challenge = getattr(error, "auth_header", None)  # set by the framework on a 401
    return {"WWW-Authenticate": challenge} if challenge else {}
