"""What every HTTP transport says in each request, and how it reads a refusal. Pure."""

from contextlib import suppress
from http import HTTPStatus

from agentxsuite import __version__
from agentxsuite.engines.upstream import jsonrpc
from agentxsuite.engines.upstream.endpoint import Endpoint, Web
from agentxsuite.engines.upstream.errors import (
    CredentialRefused,
    UpstreamError,
    UpstreamProtocolError,
)
from agentxsuite.engines.upstream.http1 import Response

JSON_TYPE = b"application/json"
_REDIRECTION, _CLIENT_ERROR = 3, 4  # classes of HTTP status


def head(endpoint: Endpoint, web: Web) -> bytes:
    """A request's head behind its target: the protocol's headers and the endpoint's own."""
    lines = (
        " HTTP/1.1",
        f"Host: {web.authority}",
        f"User-Agent: agentxsuite/{__version__}",
        "Accept: application/json, text/event-stream",
        "Accept-Encoding: identity",
        "Content-Type: application/json",
        *(f"{name}: {value}" for name, value in endpoint.headers),
        "",
    )
    return "\r\n".join(lines).encode("latin-1")


def refusal(response: Response) -> UpstreamError:
    """What an answer that is no success means for the call."""
    status = response.status
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        kind = CredentialRefused if status == HTTPStatus.UNAUTHORIZED else UpstreamProtocolError
        return kind(f"The upstream refuses the connection's credential (HTTP {status}).")
    if status // 100 == _REDIRECTION:
        return UpstreamProtocolError(f"The upstream redirects (HTTP {status}); nobody follows.")
    if status // 100 == _CLIENT_ERROR and response.kind == JSON_TYPE:
        with suppress(UpstreamProtocolError):
            return jsonrpc.rpc_error(jsonrpc.read(response.body).get("error"))
    if status == HTTPStatus.OK:
        return UpstreamProtocolError("The upstream answers neither JSON nor an event stream.")
    return UpstreamProtocolError(f"The upstream answers HTTP {status}.")
