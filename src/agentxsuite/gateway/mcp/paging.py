"""Long lists come in pages, each with an opaque cursor to the next."""

import base64
import binascii

from agentxsuite.gateway.jsonrpc import INVALID_PARAMS, RpcError
from agentxsuite.gateway.mcp.exchange import Exchange
from agentxsuite.gateway.offered import Offered
from agentxsuite.wire import JSON

PAGE = 200  # items in one answer
FRESH_MS = 60_000
UNSURE_MS = 1000  # where a server did not answer


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


def page(exchange: Exchange, member: str, found: Offered, key: str) -> dict[str, JSON]:
    """One page of a list, under the names of this address; raises RpcError for a bad cursor."""
    after = cursor_name(exchange.message.params.get("cursor"))
    left = [offer for offer in found.offers if offer.name > after]
    shown = left[:PAGE]
    result: dict[str, JSON] = {member: [{**each.definition, key: each.name} for each in shown]}
    if len(left) > len(shown):
        result["nextCursor"] = cursor_after(shown[-1].name)
    if exchange.modern:
        result |= caching() if found.complete else {**caching(), "ttlMs": UNSURE_MS}
    return result


def caching() -> dict[str, JSON]:
    """How long a client may keep the answer; what is listed depends on who asks."""
    return {"ttlMs": FRESH_MS, "cacheScope": "private"}
