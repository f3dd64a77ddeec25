"""How people show who they are to the REST API."""

import re
from typing import Any, Final

from knox.auth import TokenAuthentication
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from agentxsuite import masking

LOGIN_TOKEN: Final = re.compile(rb"[0-9a-f]{64}")  # what knox makes; nothing else is looked up


class LoginTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox has no types
    """A login token after `Bearer`, or after `Token` as older clients write it."""

    def authenticate(self, request: Request) -> Any:
        """Return (user, token), or None without such a header; raises AuthenticationFailed."""
        scheme, _, rest = get_authorization_header(request).partition(b" ")
        if scheme.lower() not in {b"bearer", b"token"}:
            return None
        token = rest.strip()
        if not LOGIN_TOKEN.fullmatch(token):
            raise AuthenticationFailed("This is not a login token.")
        found = self.authenticate_credentials(token)
        masking.learn(token.decode())
        return found
