"""How people show who they are to the REST API."""

from typing import Any

from knox.auth import TokenAuthentication
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request


class LoginTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox has no types
    """A login token after `Bearer`, or after `Token` as older clients write it."""

    def authenticate(self, request: Request) -> Any:
        """Return (user, token), or None without such a header; raises AuthenticationFailed."""
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() not in {b"bearer", b"token"}:
            return None
        return self.authenticate_credentials(token.strip())
