"""Whether a connection's way of authentication can work: asked when it is written."""

import re
from collections.abc import Mapping
from typing import Final

from agentxsuite.control.catalog.endpoints import CODE, STDIO, endpoint_of, is_personal
from agentxsuite.control.catalog.models import AuthMethod, Connection
from agentxsuite.control.catalog.upstreams import egress
from agentxsuite.control.problems import Invalid
from agentxsuite.control.secretstore import services as secretstore
from agentxsuite.control.secretstore.values import SecretUnreadable
from agentxsuite.engines.upstream import UpstreamError, check_endpoint
from agentxsuite.wire import JSON

# What `auth_config` must hold for each method, and its form.
DETAILS: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = {
    AuthMethod.NONE: {},
    AuthMethod.BEARER: {},
    AuthMethod.BASIC: {"username": re.compile(r"[^:\x00-\x1f\x7f]{1,256}")},
    AuthMethod.HEADER: {"header": re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")},
    AuthMethod.OAUTH2: {"client_id": re.compile(r"[\x20-\x7e]{1,2048}")},
}
# What it may hold besides; without `token_url` the server is asked who gives out its tokens.
ADDRESSES: Final = frozenset({"token_url", "authorize_url"})
MORE: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = {
    AuthMethod.OAUTH2: {
        "scope": re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*"),
        "token_url": re.compile(r"https?://\S{1,2000}"),
        "authorize_url": re.compile(r"https?://\S{1,2000}"),
        "grant": re.compile(f"client_credentials|{CODE}"),
    },
}


def check_credential(connection: Connection) -> None:
    """Raise Invalid unless the connection could log in with what it names."""
    if connection.auth_method not in DETAILS:
        fault = f"It must be one of {', '.join(DETAILS)}."
        raise _invalid("/auth_method", fault, "auth_method_unsupported")
    _check_details(connection.auth_config, connection.auth_method)
    if connection.auth_method == AuthMethod.NONE:
        if connection.secret_ref is not None:
            raise Invalid.at("/secret_ref", "Without authentication there is nothing to send.")
        return
    over_stdio = connection.endpoint.startswith(STDIO)
    if over_stdio and connection.auth_method != AuthMethod.BEARER:
        fault = "A command gets its secret by a variable: use bearer, or none."
        raise _invalid("/auth_method", fault, "auth_method_unsupported")
    if connection.secret_ref is None and is_personal(connection):
        return  # a public client: people show who they are, and PKCE that we asked
    _check_secret(connection)


def _check_details(config: JSON, method: str) -> None:
    details, more = DETAILS[method], MORE.get(method, {})
    known = {**details, **more}
    if not isinstance(config, dict) or not details.keys() <= config.keys() <= known.keys():
        expected = ", ".join(details) or "nothing"
        besides = f", and may take {', '.join(more)}" if more else ""
        raise Invalid.at("/auth_config", f"This way of authentication takes {expected}{besides}.")
    for name, value in config.items():
        if not isinstance(value, str) or not known[name].fullmatch(value):
            raise Invalid.at(f"/auth_config/{name}", "It does not have the form it must have.")
    for name in ADDRESSES & config.keys():
        _check_address(f"/auth_config/{name}", config[name])
    needed = ADDRESSES if config.get("grant") == CODE else {"token_url"}
    if missing := ADDRESSES & config.keys() and needed - config.keys():
        raise Invalid.at(f"/auth_config/{min(missing)}", "The one goes together with the other.")


def _check_address(path: str, url: str) -> None:
    try:
        check_endpoint(url, {}, egress())
    except UpstreamError as error:
        raise _invalid(path, error.detail, error.code) from None


def _check_secret(connection: Connection) -> None:
    """A ref of another tenant or environment is told as one that is not there."""
    owner = (connection.organization_id, connection.environment_id)
    refs = [connection.secret_ref] if connection.secret_ref else []
    # Held, so that it is not deleted between this look and the connection's being there.
    if secretstore.usable(*owner, refs).select_for_update(no_key=True).first() is None:
        raise Invalid.at("/secret_ref", "There is no such secret for this environment.")
    revealed = secretstore.reveal_many(*owner, refs)
    if not revealed:
        raise secretstore.SecretsUnavailable
    if is_personal(connection):
        return
    try:
        endpoint_of(connection, revealed)
    except SecretUnreadable as error:
        raise Invalid.at("/secret_ref", f"It cannot be sent like this. {error}") from None


def _invalid(path: str, message: str, code: str) -> Invalid:
    return Invalid(message, [{"path": path, "message": message}], code=code)
