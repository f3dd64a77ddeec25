"""Asking a token endpoint: by client credentials, by a code, by a refresh token (RFC 6749)."""

import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

from agentxsuite import masking
from agentxsuite.engines.upstream.discovery import AuthorizationServer, discover
from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.errors import AccessRefused, UpstreamProtocolError
from agentxsuite.engines.upstream.fetch import fetch, read_object
from agentxsuite.engines.upstream.grant import Client
from agentxsuite.engines.upstream.http1 import Response
from agentxsuite.wire import JSON

UNTOLD: Final = 300.0  # seconds that a token is taken to last whose server does not say
EARLY: Final = 30.0  # seconds before its end that a token is renewed
LONGEST: Final = 24 * 3600.0  # seconds that any is kept
TOKEN: Final = re.compile(r"[\x21-\x7e]{1,8000}")  # what can stand in a header
WORD: Final = re.compile(r"[a-z_]{1,64}")  # an error code (RFC 6749 section 5.2)
_OK, _BAD = 200, (400, 401)


@dataclass(frozen=True, slots=True, repr=False)
class Lent:
    """An access token, until when it is shown (by the asker's clock), and what renews it."""

    access: str
    until: float
    refresh: str = ""

    def __post_init__(self) -> None:
        masking.learn(self.access)
        masking.learn(self.refresh)

    def __repr__(self) -> str:
        return f"Lent(until={self.until!r})"


async def server_of(egress: Egress, client: Client) -> AuthorizationServer:
    """The addresses to ask: those that were given, or what is found. Raises UpstreamError."""
    if client.token_url:
        return AuthorizationServer("", client.token_url, client.authorize_url)
    return await discover(egress, client.resource)


async def ask_token(
    egress: Egress,
    client: Client,
    form: Mapping[str, str],
    clock: Callable[[], float] = time.time,
    server: AuthorizationServer | None = None,
) -> Lent:
    """Show a grant to the token endpoint; raises AccessRefused or another UpstreamError."""
    server = server or await server_of(egress, client)
    body = {**form, "resource": client.resource}
    if client.scope and form["grant_type"] != "authorization_code":
        body["scope"] = client.scope
    authorization = ""
    if client.secret and not server.by_form:
        pair = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"  # RFC 6749 section 2.3.1
        authorization = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        body["client_id"] = client.id
        body |= {"client_secret": client.secret} if client.secret else {}
    now = clock()
    return _read(await fetch(egress, server.token_url, body, authorization), now)


def _read(response: Response, now: float) -> Lent:
    if response.status in _BAD:
        raise _refused(read_object(response).get("error"))
    if response.status != _OK:
        told = f"The authorization server answers HTTP {response.status}."
        raise UpstreamProtocolError(told)
    answer = read_object(response)
    access, kind = answer.get("access_token"), answer.get("token_type")
    fits = isinstance(access, str) and TOKEN.fullmatch(access)
    if not fits or not isinstance(kind, str) or kind.lower() != "bearer":
        raise UpstreamProtocolError("The authorization server gives no bearer token.")
    refresh = answer.get("refresh_token")
    return Lent(
        str(access),
        now + _shown(answer.get("expires_in")),
        refresh if isinstance(refresh, str) else "",
    )


def _refused(error: JSON) -> AccessRefused:
    word = error if isinstance(error, str) and WORD.fullmatch(error) else "refused"
    return AccessRefused(f"The authorization server gives no access: {word}.", word)


def _shown(told: JSON) -> float:
    """Seconds that a token is shown: a call takes its time, and clocks differ."""
    known = isinstance(told, int | float) and not isinstance(told, bool) and told > 0
    lasting = min(float(told), LONGEST) if known else UNTOLD
    return lasting - min(EARLY, lasting / 2)
