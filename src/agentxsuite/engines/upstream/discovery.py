"""Finding the authorization server of an MCP server (RFC 9728), and its addresses (RFC 8414).

Every document must say that it is about what was asked for: otherwise one server could send the
credentials meant for another to itself (the mix-up of RFC 9207).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.errors import (
    EgressDenied,
    EndpointInvalid,
    UpstreamProtocolError,
)
from agentxsuite.engines.upstream.fetch import fetch, read_object
from agentxsuite.wire import JSON

WELL_KNOWN = "/.well-known/"
RESOURCE = "oauth-protected-resource"
SERVERS = ("oauth-authorization-server", "openid-configuration")
_OK = 200


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """What an authorization server says about itself; ``says_iss`` is RFC 9207's promise."""

    issuer: str
    token_url: str
    authorize_url: str = ""
    says_iss: bool = False
    by_form: bool = False  # takes a client's secret in the form only, not in a header
    proves: bool = True  # that who brings a code is who asked for it (RFC 7636, S256)


async def discover(egress: Egress, resource: str) -> AuthorizationServer:
    """The authorization server that an MCP server names; raises UpstreamError."""
    issuer = await _issuer_of(egress, resource)
    for url in _described_at(issuer):
        document = await _document(egress, url)
        if document is None:
            continue
        if document.get("issuer") != issuer:
            raise UpstreamProtocolError("The authorization server calls itself by another name.")
        return _read(issuer, document)
    raise UpstreamProtocolError("The authorization server does not describe itself (RFC 8414).")


async def _issuer_of(egress: Egress, resource: str) -> str:
    """Who gives out tokens for a server; itself where it does not say, as before RFC 9728."""
    parts = urlsplit(resource)
    origin = f"{parts.scheme}://{parts.netloc}"
    for path in dict.fromkeys((parts.path.rstrip("/"), "")):
        document = await _document(egress, f"{origin}{WELL_KNOWN}{RESOURCE}{path}")
        if document is None:
            continue
        if not _covers(document.get("resource"), resource):
            raise UpstreamProtocolError("The upstream describes another resource than itself.")
        servers = document.get("authorization_servers")
        if isinstance(servers, list) and servers and isinstance(servers[0], str):
            return servers[0]
    return origin


def _covers(told: JSON, resource: str) -> bool:
    """Whether a description is of this address, or of all below one that it is below."""
    if not isinstance(told, str):
        return False
    base = told.rstrip("/")
    return resource.rstrip("/") == base or resource.startswith((f"{base}/", f"{base}?"))


def _described_at(issuer: str) -> Iterator[str]:
    """Where an issuer may describe itself (RFC 8414 section 3.1, OpenID Connect Discovery 4)."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    for name in SERVERS:
        yield f"{origin}{WELL_KNOWN}{name}{path}"
    if path:
        yield f"{origin}{path}{WELL_KNOWN}{SERVERS[1]}"


async def _document(egress: Egress, url: str) -> dict[str, JSON] | None:
    """A JSON document; None where there is none. Raises what says that nobody may look."""
    try:
        response = await fetch(egress, url)
        return read_object(response) if response.status == _OK else None
    except (EgressDenied, EndpointInvalid):
        raise
    except UpstreamProtocolError:
        return None


def _read(issuer: str, document: dict[str, JSON]) -> AuthorizationServer:
    token_url, authorize_url = (
        document.get(f"{name}_endpoint") for name in ("token", "authorization")
    )
    if not isinstance(token_url, str):
        raise UpstreamProtocolError("The authorization server gives out no tokens.")
    methods = document.get("token_endpoint_auth_methods_supported")
    by_form = isinstance(methods, list) and "client_secret_basic" not in methods
    challenges = document.get("code_challenge_methods_supported")
    return AuthorizationServer(
        issuer,
        token_url,
        authorize_url if isinstance(authorize_url, str) else "",
        says_iss=document.get("authorization_response_iss_parameter_supported") is True,
        by_form=by_form,
        proves=isinstance(challenges, list) and "S256" in challenges,
    )
