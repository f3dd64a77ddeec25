"""What a person began: in the `state` that goes along to the other server and comes back.

Signed and good for ten minutes, so that nothing has to be kept meanwhile. It names the person, the
connection and how that logged in then, and the authorization server that was asked. The proof that
only we can give (PKCE, RFC 7636) is made of our key and of its nonce.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from typing import Final, NamedTuple
from uuid import UUID

from django.core import signing
from django.utils.crypto import salted_hmac

from agentxsuite import wire
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.problems import Forbidden, Invalid
from agentxsuite.control.tenancy.models import User
from agentxsuite.engines.upstream import AuthorizationServer

LASTS: Final = 600  # seconds between leaving for the other server and coming back
SALT: Final = "catalog.accounts"


class Begun(NamedTuple):
    """Who connects what, how that logged in, at which authorization server."""

    connection: str
    login: str
    user: str
    issuer: str
    nonce: str

    def state(self) -> str:
        """Return it as it travels."""
        return signing.dumps(list(self), salt=SALT)

    def verifier(self) -> str:
        """Return the proof that goes with it (RFC 7636 section 4.1); only we can make it."""
        made = salted_hmac(f"{SALT}.proof", self.nonce, algorithm="sha256").digest()
        return _text(made)

    def challenge(self) -> str:
        """Return what is told of the proof before (RFC 7636 section 4.2, S256)."""
        return _text(hashlib.sha256(self.verifier().encode()).digest())

    def check_unchanged(self, connection: Connection) -> None:
        """Refuse a connection that leads elsewhere by now; raises Invalid."""
        if self.login != _login(connection):
            raise Invalid.at("/state", "The connection was changed meanwhile: begin again.")

    def check_answerer(self, server: AuthorizationServer, told: str | None) -> None:
        """Refuse an answer of another server than the one that was asked (RFC 9207)."""
        missing = told is None and server.says_iss
        other = told is not None and server.issuer not in {"", told}
        if self.issuer != server.issuer or missing or other:
            raise Invalid.at("/iss", "Another server answered than the one that was asked.")


def started(connection: Connection, user: User, server: AuthorizationServer) -> Begun:
    """Return what begins now."""
    nonce = secrets.token_urlsafe(24)
    return Begun(str(connection.id), _login(connection), str(user.id), server.issuer, nonce)


def resumed(connection: UUID, user: User, state: str) -> Begun:
    """Return what this person began for this connection; raises Invalid, Forbidden."""
    try:
        begun = Begun(*signing.loads(state, salt=SALT, max_age=LASTS))
    except signing.BadSignature:
        raise Invalid.at("/state", "This was not begun here, or too long ago.") from None
    if begun.user != str(user.id):
        told = "Somebody else began this: log in as the person who did."
        raise Forbidden(told, code="account_of_another")
    if begun.connection != str(connection):  # each has its own address to come back to
        raise Invalid.at("/state", "This was begun for another connection.")
    return begun


def _login(connection: Connection) -> str:
    """Everything that decides where a code, and then a token, is sent."""
    facts = [connection.endpoint, connection.auth_method, connection.auth_config]
    text = wire.dumps([*facts, connection.secret_ref])
    return _text(hashlib.sha256(text).digest())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
