"""What clients ask without a person: metadata, tokens, revocation, registration.

Answers are in the words of the OAuth RFCs, not problem documents.
"""

import base64
import binascii
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider import cimd
from oauth2_provider.oauth2_backends import get_oauthlib_core

from agentxsuite import wire
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.oauth import registration
from agentxsuite.control.oauth.models import Client
from agentxsuite.control.oauth.pages import for_pages
from agentxsuite.control.oauth.places import mark_of
from agentxsuite.control.oauth.registration import Refused
from agentxsuite.control.oauth.scopes import scope_words
from agentxsuite.control.tenancy.scope import changing, seeing
from agentxsuite.control.tenancy.tries import network
from agentxsuite.engines.limits import MemoryLimiter, Rate
from agentxsuite.wire import JSON

TOKENS: Final = Rate(per_minute=120, burst=120)  # from one address
REGISTRATIONS: Final = Rate(per_minute=6, burst=20)
LARGEST: Final = 16 * 1024  # bytes of a client's metadata
CREATED, NO_CONTENT = 201, 204
_LIMITER: Final = MemoryLimiter()

log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]


def _answers(rate: Rate, *methods: str) -> Callable[[View], View]:
    """Return what answers to some methods, not too often, also when the database does not."""

    def guard(view: View) -> View:
        def answer(request: HttpRequest, **path: str) -> HttpResponse:
            if request.method not in methods:
                return error("invalid_request", f"Send a {' or '.join(methods)}.", 405)
            who = f"{view.__name__}|{network(request.META.get('REMOTE_ADDR', ''))}"
            taken = async_to_sync(_LIMITER.take)(who, rate)
            if not taken.allowed:
                told = error("temporarily_unavailable", "Too many requests: wait.", 429)
                told["Retry-After"] = str(max(1, -int(-taken.retry_after // 1)))
                return told
            try:
                return view(request, **path)
            except Refused as refused:
                return error(refused.error, refused.detail, refused.status)
            except (OperationalError, InterfaceError):
                log.exception("the database does not answer")
                return error("temporarily_unavailable", "The database does not answer.", 503)
            except IntegrityError:
                return error("invalid_grant", "What this refers to has just changed.")

        opened = csrf_exempt(for_pages(answer, methods))
        opened.actions = {m.lower(): m for m in methods}  # type: ignore[attr-defined]  # for the table of routes
        return opened

    return guard


@_answers(TOKENS, "GET")
def metadata(_request: HttpRequest) -> HttpResponse:
    """Tell clients how to log in here (RFC 8414)."""
    here = settings.PUBLIC_URL
    secret = ["client_secret_basic", "client_secret_post"]
    return JsonResponse(
        {
            "issuer": here,
            "authorization_endpoint": f"{here}/oauth/authorize/",
            "token_endpoint": f"{here}/oauth/token/",
            "revocation_endpoint": f"{here}/oauth/revoke/",
            "registration_endpoint": f"{here}/oauth/register/",
            "jwks_uri": f"{here}/.well-known/jwks.json",
            "scopes_supported": scope_words(),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", *secret],
            "revocation_endpoint_auth_methods_supported": ["none", *secret],
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": True,
        }
    )


@_answers(TOKENS, "POST")
def token(request: HttpRequest) -> HttpResponse:
    """Exchange a code, a refresh token or a machine's secret for an access token (RFC 6749)."""
    client_id = client_id_of(request)
    known(client_id)
    secret = request.POST.get("code") or request.POST.get("refresh_token") or client_id
    with scope(mark_of(secret)):
        _, headers, body, status = get_oauthlib_core().create_token_response(request)
    return HttpResponse(body, status=status, headers=headers)


@_answers(TOKENS, "POST")
def revoke(request: HttpRequest) -> HttpResponse:
    """End what a token came from (RFC 7009)."""
    known(client_id_of(request))
    with scope(organization_of(request.POST.get("token", ""))):
        _, headers, body, status = get_oauthlib_core().create_revocation_response(request)
    return HttpResponse(body or b"", status=status, headers=headers)


@_answers(REGISTRATIONS, "POST")
def register(request: HttpRequest) -> HttpResponse:
    """Take a client in that registers itself (RFC 7591)."""
    made = registration.register(whence(request), asked(request))
    return told(registration.shown(made.client, made.token), CREATED)


@_answers(TOKENS, "GET", "PUT", "DELETE")
def registered(request: HttpRequest, client_id: str) -> HttpResponse:
    """Show, change or forget a registration to whoever has its token (RFC 7592)."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    client = registration.find(client_id, shown) if scheme.lower() == "bearer" else None
    if client is None:
        refusal = error("invalid_token", "This is not the registration's token.", 401)
        refusal["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return refusal
    if request.method == "DELETE":
        registration.remove(whence(request), client)
        return HttpResponse(status=NO_CONTENT)
    if request.method == "PUT":
        client = registration.change(whence(request), client, asked(request))
    return told(registration.shown(client, shown))


def known(client_id: str) -> None:
    """Fetch the document of a client while no transaction waits for it."""
    if not cimd.is_cimd_client_id(client_id) or not client_id.isprintable():
        return
    client = Client.objects.filter(client_id=client_id).first()
    if client is None:
        cimd.resolve_cimd_application(client_id, None)
    else:
        cimd.refresh_if_stale(client, None)


def scope(organization: UUID | None) -> AbstractContextManager[None]:
    """Return a transaction that sees one organization, or none at all."""
    return changing(organization) if organization else seeing()


def client_id_of(request: HttpRequest) -> str:
    """Return the id that a client gives: in the body, or by HTTP Basic (RFC 6749, 2.3.1)."""
    if client_id := request.POST.get("client_id"):
        return client_id
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def organization_of(secret: str) -> UUID | None:
    """Return the organization that a token says it belongs to; what it proves is another thing."""
    claims = secret.split(".")[1:2]
    try:
        padded = claims[0] + "=" * (-len(claims[0]) % 4)
        return UUID(wire.loads(base64.urlsafe_b64decode(padded))["org"])
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, wire.WireError):
        return mark_of(secret)


def asked(request: HttpRequest) -> dict[str, JSON]:
    """Return the metadata in a body; raises Refused."""
    body = request.body
    try:
        found = wire.loads(body) if len(body) <= LARGEST else None
    except wire.WireError:
        found = None
    if not isinstance(found, dict) or wire.holds_nul(body):
        raise Refused("invalid_client_metadata", "Send one JSON object of at most 16 KiB.")
    return found


def whence(request: HttpRequest) -> Actor:
    """Return who registers: nobody that is known."""
    browser = request.headers.get("User-Agent", "")[:200]
    return Actor("anonymous", None, request.META.get("REMOTE_ADDR", ""), browser)


def error(word: str, detail: str, status: int = 400) -> HttpResponse:
    """Return a refusal (RFC 6749, section 5.2)."""
    return told({"error": word, "error_description": detail}, status)


def told(answer: dict[str, JSON], status: int = 200) -> HttpResponse:
    """Return an answer that nobody keeps."""
    return JsonResponse(answer, status=status, headers={"Cache-Control": "no-store"})
