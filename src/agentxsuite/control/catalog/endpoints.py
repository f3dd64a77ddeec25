"""From a stored connection and its revealed credential to what the upstream engine dials."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace

from agentxsuite.control.catalog.models import Account, AuthMethod, Connection
from agentxsuite.control.secretstore.values import Revealed, SecretUnreadable
from agentxsuite.engines.upstream import Client, Endpoint, EndpointInvalid, check_headers, lent_by

STDIO = "stdio:"
SSE = "sse+"
OAUTH2 = ("client_id", "scope", "token_url", "authorize_url")  # what `auth_config` may say
CODE = "authorization_code"  # the grant by which each person lends an account of their own


def is_personal(connection: Connection) -> bool:
    """Return whether each person uses their own account there (RFC 6749 section 4.1)."""
    lends = connection.auth_method == AuthMethod.OAUTH2
    return lends and connection.auth_config.get("grant") == CODE


def personal_endpoint(
    connection: Connection, revealed: Mapping[str, Revealed], account: Account
) -> Endpoint:
    """Return where a connection leads with one person's account; raises SecretUnreadable."""
    secret = revealed.get(connection.secret_ref or "")
    if secret is None and connection.secret_ref:
        raise SecretUnreadable("The connection's credential cannot be read.")
    known = client_of(connection, secret.value.reveal() if secret else "")
    client = replace(known, account=f"{account.organization_id}/{account.id}")
    identifier = lent_by(str(connection.id), str(account.user_id))
    return Endpoint(identifier, connection.endpoint, client=client)


def endpoint_of(connection: Connection, revealed: Mapping[str, Revealed]) -> Endpoint:
    """Return where a connection leads; `revealed` holds the current secrets by their refs.

    Raises SecretUnreadable where its credential is missing or cannot be sent.
    """
    identifier, url = str(connection.id), connection.endpoint
    if connection.auth_method == AuthMethod.NONE:
        return Endpoint(identifier, url)
    if is_personal(connection):
        raise SecretUnreadable("Each person uses their own account there.")
    secret = revealed.get(connection.secret_ref or "")
    if secret is None:
        raise SecretUnreadable("The connection's credential cannot be read.")
    if url.startswith(STDIO):
        return Endpoint(identifier, url, secret=secret.value.reveal())
    if connection.auth_method == AuthMethod.OAUTH2:
        return Endpoint(identifier, url, client=client_of(connection, secret.value.reveal()))
    headers = (_header(connection, secret.value.reveal()),)
    try:
        check_headers(headers)
    except EndpointInvalid as error:
        raise SecretUnreadable(error.detail) from None
    return Endpoint(identifier, url, headers)


def client_of(connection: Connection, secret: str) -> Client:
    """Return us as the connection's authorization server knows us."""
    known = {name: str(connection.auth_config.get(name, "")) for name in OAUTH2}
    resource = connection.endpoint.removeprefix(SSE).partition("?")[0]
    return Client(known.pop("client_id"), secret, resource, **known)


def _header(connection: Connection, secret: str) -> tuple[str, str]:
    """The credential as a header (RFC 6750 section 2.1, RFC 7617 section 2)."""
    config = connection.auth_config
    match connection.auth_method:
        case AuthMethod.BEARER:
            return "Authorization", f"Bearer {secret}"
        case AuthMethod.BASIC:
            pair = f"{config.get('username', '')}:{secret}".encode()
            return "Authorization", f"Basic {b64encode(pair).decode()}"
        case _:
            return str(config.get("header", "")), secret
