"""Long lists come in pages, each with an opaque cursor to the next."""

import base64
import binascii

from agentxsuite.gateway.jsonrpc import INVALID_PARAMS, RpcError
from agentxsuite.wire import JSON

PAGE = 200  # items in one answer
FRESH_MS = 60_000


def cursor_name(cursor: JSON) -> str:
    """The last name of the page before; raises RpcError for a cursor that is not ours."""
    if cursor is None:
        return ""
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (TypeError, binascii.Error, ValueError):
        raise RpcError(INVALID_PARAMS, "'cursor' is not one that this list gave.") from None


def cursor_after(name: str) -> str:
    """The cursor of the page that begins after a name."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def caching() -> dict[str, JSON]:
    """How long a client may keep the answer; what is listed depends on who asks."""
    return {"ttlMs": FRESH_MS, "cacheScope": "private"}
