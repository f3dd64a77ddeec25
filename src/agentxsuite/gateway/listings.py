"""Lists of tools that were made a moment ago: a long one is turned page by page.

What the same caller is shown at the same address changes with the snapshot, and else only with the
clock, which conditions may look at: so a list is good for a moment.
"""

from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Snapshot, Tool

FRESH = timedelta(seconds=5)
HELD = 256  # lists; the one made first goes first


class Listing(Struct, frozen=True):
    """Which tools were shown, by name, under which snapshot, when."""

    snapshot: Snapshot
    made: datetime
    tools: Sequence[Tool]


class Listings:
    """The lists that were made last."""

    def __init__(self) -> None:
        self._held: dict[Hashable, Listing] = {}

    def find(self, principal: Principal, call: Call) -> Sequence[Tool] | None:
        """The list that this caller was shown a moment ago, if nothing has changed since."""
        known = self._held.get(key_of(principal, call))
        if known is None or known.snapshot is not principal.snapshot:
            return None
        return known.tools if call.received - known.made < FRESH else None

    def keep(self, principal: Principal, call: Call, tools: Sequence[Tool]) -> Sequence[Tool]:
        """Hold a list."""
        key = key_of(principal, call)
        self._held.pop(key, None)
        self._held[key] = Listing(principal.snapshot, call.received, tools)
        if len(self._held) > HELD:
            del self._held[next(iter(self._held))]
        return tools


def key_of(principal: Principal, call: Call) -> Hashable:
    """All that a list depends on besides the snapshot and the clock."""
    where = call.door, call.passthrough, call.address, call.client
    return principal.agent.id, principal.member, principal.scopes, principal.auth_method, where
