"""What a client may list, in a few bytes, and whether it would be shown something else now.

Tools are known here, so their list itself is compared. Prompts and resources are their servers' to
know: compared is what policies say of them, and how often each server said that it has others.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agentxsuite.gateway.authorize import GET, INVOKE, READ, in_scope, outline, standing
from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.facts import Connection, Offer
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.offered import at
from agentxsuite.gateway.pipeline import listed
from agentxsuite.gateway.refusals import Unavailable

NEVER = -1


class Kind(NamedTuple):
    """A kind of list: what telling of it is called, the right to use it, and how its targets begin.

    The method is also that by which servers tell.
    """

    method: str
    action: str
    noun: str


KINDS: Mapping[str, Kind] = {
    "toolsListChanged": Kind("notifications/tools/list_changed", INVOKE, "tool"),
    "promptsListChanged": Kind("notifications/prompts/list_changed", GET, "prompt"),
    "resourcesListChanged": Kind("notifications/resources/list_changed", READ, "resource"),
}


class Listed:
    """The lists that one client wants to hear of, as digests; they have ``servers``."""

    def __init__(self, wanted: Sequence[str], principal: Principal, call: Call, gate: Gate) -> None:
        self._kinds = [KINDS[word] for word in wanted]
        self._gate = gate
        self._known, self._heard = principal, NEVER
        self._digests: dict[Kind, int] = {}
        self.servers: dict[str, Connection] = {}
        self.changes(principal, call)

    def same(self, principal: Principal) -> bool:
        """Whether nothing that a list depends on has changed since the last look."""
        if self._heard != self._gate.ears.heard or not alike(principal, self._known):
            return False
        self._known = principal  # of what was before nothing is kept
        return True

    def changes(self, principal: Principal, call: Call) -> Sequence[str]:
        """The notices that are due; what cannot be judged now is looked at again the next time."""
        self._known, self._heard, self.servers = principal, self._gate.ears.heard, {}
        try:
            now = {kind: self._digest(kind, call) for kind in self._kinds}
        except Unavailable:
            self._heard = NEVER
            return ()
        before, self._digests = self._digests, now
        return [kind.method for kind in before if before[kind] != now[kind]]

    def _digest(self, kind: Kind, call: Call) -> int:
        """What stands for a list; raises Unavailable."""
        if not in_scope(self._known, kind.action):
            return 0
        stands = self._tools(call) if kind.action == INVOKE else self._offers(kind, call)
        return hash(tuple(stands))

    def _tools(self, call: Call) -> Iterator[Hashable]:
        """What stands for each tool."""
        for tool in listed(self._known, call, self._gate):
            self.servers[tool.connection.id] = tool.connection.of(self._known.person)
            yield tool.id, tool.version

    def _offers(self, kind: Kind, call: Call) -> Iterator[Hashable]:
        """What stands for all that each server offers, where something of it may be used."""
        for server in at(self._known, call):
            about = Offer(kind.action, server, "", "", f"{kind.noun}:{server.slug}")
            if server.endpoint is not None and standing(self._known, about) is None:
                said = outline(self._known, about, call)
                if said:
                    self.servers[server.id] = server
                    times = self._gate.ears.said(server.id, kind.method)
                    yield server.id, server.endpoint.url, said, times


def honoured(asked: Mapping[str, Any], principal: Principal) -> tuple[str, ...]:
    """The kinds that a client asked for and may list."""
    return tuple(
        word
        for word, kind in KINDS.items()
        if asked.get(word) is True and in_scope(principal, kind.action)
    )


def alike(one: Principal, other: Principal) -> bool:
    """Whether all is the same that a list depends on, besides the clock."""
    a, b = one.snapshot, other.snapshot
    if a is not b and not (
        a.policies is b.policies and a.tools is b.tools and a.connections is b.connections
    ):
        return False
    return rest(one) == rest(other)


def rest(principal: Principal) -> tuple[Any, ...]:
    """What is small enough to be compared."""
    return principal.snapshot.attributes, principal.agent, principal.member, principal.scopes
