"""Clients that register themselves (RFC 7591, RFC 7592): public ones, and only so many."""

import secrets
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare

from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.oauth.forgetting import forget_unused
from agentxsuite.control.oauth.models import Client, digest
from agentxsuite.control.oauth.redirects import MOST, check_redirect
from agentxsuite.control.oauth.scopes import scope_words
from agentxsuite.wire import JSON

WAITING: Final = 1000  # clients that nobody has let in yet; the oldest go after a day
LONGEST_NAME: Final = 100
GRANTS: Final = ("authorization_code", "refresh_token")
VERBS: Final = {
    "client_registered": "client.register",
    "client_changed": "client.change",
    "client_removed": "client.remove",
}

Metadata = Mapping[str, JSON]


class Refused(Exception):
    """A registration that is not taken; `error` is a word of RFC 7591, section 3.2.2."""

    def __init__(self, error: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.error, self.detail, self.status = error, detail, status


class Registered(NamedTuple):
    """A client, and the token by which it is changed, shown this once."""

    client: Client
    token: str


def register(actor: Actor, metadata: Metadata) -> Registered:
    """Take a client in; raises Refused."""
    facts = read(metadata)
    forget_unused()
    waiting = Client.objects.filter(used_at=None)
    if waiting.filter(registration_source=Client.RegistrationSource.DCR).count() >= WAITING:
        told = "Too many clients have registered and were not used: try again tomorrow."
        raise Refused("temporarily_unavailable", told, 503)
    token = secrets.token_urlsafe(32)
    client = Client(
        client_type=Client.CLIENT_PUBLIC,
        authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
        registration_source=Client.RegistrationSource.DCR,
        registration_digest=digest(token),
        **facts,
    )
    with transaction.atomic():
        client.save()
        _record("client_registered", actor, client)
    return Registered(client, token)


def change(actor: Actor, client: Client, metadata: Metadata) -> Client:
    """Replace what a client said of itself; raises Refused."""
    for name, value in read(metadata).items():
        setattr(client, name, value)
    with transaction.atomic():
        client.save()
        _record("client_changed", actor, client)
    return client


def remove(actor: Actor, client: Client) -> None:
    """Forget a client that nobody has let in; raises Refused for others, whose people decide."""
    with transaction.atomic():
        gone, _ = Client.objects.filter(id=client.id, used_at=None).delete()
        if not gone:
            told = "People have let this client in: they end that themselves."
            raise Refused("invalid_request", told)
        _record("client_removed", actor, client)


def find(client_id: str, token: str) -> Client | None:
    """Return the client that registered itself and was given this token."""
    if not client_id.isprintable():
        return None
    rows = Client.objects.filter(registration_source=Client.RegistrationSource.DCR)
    client: Client | None = rows.filter(client_id=client_id).first()
    if client is None or not constant_time_compare(client.registration_digest, digest(token)):
        return None
    return client


def read(metadata: Metadata) -> dict[str, Any]:
    """Return what is kept of a client's metadata; raises Refused."""
    name = metadata.get("client_name", "")
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not name.isprintable():
        told = f"client_name must be at most {LONGEST_NAME} printable characters."
        raise Refused("invalid_client_metadata", told)
    kinds = metadata.get("grant_types", ["authorization_code"])
    if not isinstance(kinds, list) or any(kind not in GRANTS for kind in kinds) or not kinds:
        told = "grant_types must be authorization_code, and refresh_token if you like."
        raise Refused("invalid_client_metadata", told)
    if metadata.get("response_types", ["code"]) != ["code"]:
        raise Refused("invalid_client_metadata", "response_types must be code.")
    return {
        "name": name,
        "redirect_uris": " ".join(_redirects(metadata.get("redirect_uris"))),
        "scopes": _scopes(metadata.get("scope")),
    }


def shown(client: Client, token: str) -> dict[str, JSON]:
    """Return a registration as its client is told (RFC 7591, section 3.2.1)."""
    return {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created.timestamp()),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris.split(),
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": " ".join(client.scopes),
        "registration_access_token": token,
        "registration_client_uri": f"{settings.PUBLIC_URL}/oauth/register/{client.client_id}/",
    }


def _redirects(uris: JSON) -> list[str]:
    if not isinstance(uris, list) or not 1 <= len(uris) <= MOST:
        raise Refused("invalid_redirect_uri", f"redirect_uris must be 1 to {MOST} addresses.")
    for uri in uris:
        told = check_redirect(uri) if isinstance(uri, str) else "is no address"
        if told:
            raise Refused("invalid_redirect_uri", f"A redirect URI {told}.")
    return uris


def _scopes(scope: JSON) -> list[str]:
    """Those of the scopes asked for that there are; all when none is."""
    words = scope.split() if isinstance(scope, str) else []
    return [word for word in scope_words() if word in words] or scope_words()


def _record(event: EventType, actor: Actor, client: Client) -> None:
    record(
        event,
        actor=actor,
        organization=None,
        action=VERBS[event],
        target=f"client:{client.client_id}",
        data={"name": client.name, "redirect_uris": client.redirect_uris.split()},
    )
