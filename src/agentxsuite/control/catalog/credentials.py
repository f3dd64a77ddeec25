"""Whether a connection's way of authentication can work: asked when it is written."""

import re
from collections.abc import Mapping
from typing import Final

from agentxsuite.control.catalog.endpoints import STDIO, endpoint_of
from agentxsuite.control.catalog.models import AuthMethod, Connection
from agentxsuite.control.secretstore import services as secretstore
from agentxsuite.control.secretstore.values import SecretUnreadable
from agentxsuite.control.tenancy.problems import Invalid
from agentxsuite.wire import JSON

# What `auth_config` must hold for each method, and its form.
DETAILS: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = {
    AuthMethod.NONE: {},
    AuthMethod.BEARER: {},
    AuthMethod.BASIC: {"username": re.compile(r"[^:\x00-\x1f\x7f]{1,256}")},
    AuthMethod.HEADER: {"header": re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")},
}


def check_credential(connection: Connection) -> None:
    """Raise Invalid unless the connection could log in with what it names."""
    if connection.auth_method not in DETAILS:
        fault = "This way of authentication is not supported yet."
        raise _invalid("/auth_method", fault, "auth_method_unsupported")
    _check_details(connection.auth_config, DETAILS[connection.auth_method])
    if connection.auth_method == AuthMethod.NONE:
        if connection.secret_ref is not None:
            raise Invalid.at("/secret_ref", "Without authentication there is nothing to send.")
        return
    over_stdio = connection.endpoint.startswith(STDIO)
    if over_stdio and connection.auth_method != AuthMethod.BEARER:
        fault = "A command gets its secret by a variable: use bearer, or none."
        raise _invalid("/auth_method", fault, "auth_method_unsupported")
    _check_secret(connection)


def _check_details(config: JSON, details: Mapping[str, re.Pattern[str]]) -> None:
    if not isinstance(config, dict) or config.keys() != details.keys():
        expected = ", ".join(details) or "nothing"
        raise Invalid.at("/auth_config", f"This way of authentication takes {expected}.")
    for name, form in details.items():
        if not isinstance(config[name], str) or not form.fullmatch(config[name]):
            raise Invalid.at(f"/auth_config/{name}", "It does not have the form it must have.")


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
    try:
        endpoint_of(connection, revealed)
    except SecretUnreadable as error:
        raise Invalid.at("/secret_ref", f"It cannot be sent like this. {error}") from None


def _invalid(path: str, message: str, code: str) -> Invalid:
    return Invalid(message, [{"path": path, "message": message}], code=code)
