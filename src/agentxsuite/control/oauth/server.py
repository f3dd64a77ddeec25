"""The grants that this server knows, and no others (OAuth 2.1, RFC 9700)."""

from typing import Any

from oauthlib.oauth2 import AuthorizationEndpoint, RevocationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from oauthlib.oauth2.rfc6749.tokens import BearerToken


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):  # type: ignore[misc]  # untyped
    """Codes with PKCE for people, secrets for machines; neither implicit grants nor passwords."""

    def __init__(self, request_validator: Any, token_expires_in: int, **_others: Any) -> None:
        bearer = BearerToken(request_validator, expires_in=token_expires_in)
        code = AuthorizationCodeGrant(request_validator)
        AuthorizationEndpoint.__init__(
            self,
            default_response_type="code",
            response_types={"code": code},
            default_token_type=bearer,
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type="authorization_code",
            grant_types={
                "authorization_code": code,
                "client_credentials": ClientCredentialsGrant(request_validator),
                "refresh_token": RefreshTokenGrant(request_validator),
            },
            default_token_type=bearer,
        )
        RevocationEndpoint.__init__(self, request_validator)
