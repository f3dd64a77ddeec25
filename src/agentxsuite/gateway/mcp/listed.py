"""What a client was shown last, and whether it would be shown something else now."""

from collections.abc import Iterator, Sequence
from typing import Any

from agentxsuite.gateway.call import Call, Principal
from agentxsuite.gateway.pipeline import shown
from agentxsuite.gateway.refusals import Refusal

TOOLS = "toolsListChanged"
KINDS = {TOOLS: "notifications/tools/list_changed"}


class Listed:
    """The lists that one client wants to hear of, as digests."""

    def __init__(self, wanted: Sequence[str], principal: Principal, call: Call) -> None:
        self._wanted = wanted
        self._known = principal
        self._tools = digest(principal, call)

    def changes(self, principal: Principal, call: Call) -> Iterator[str]:
        """The notices that are due: where what the lists depend on has changed, and so have they.

        What cannot be judged now is looked at again the next time.
        """
        if TOOLS not in self._wanted or alike(principal, self._known):
            return
        before, now = self._tools, digest(principal, call)
        if now is None:
            return
        self._known, self._tools = principal, now
        if now != before:
            yield KINDS[TOOLS]


def digest(principal: Principal, call: Call) -> int | None:
    """What stands for a list of tools: which, and in which versions; None where it is refused."""
    try:
        return hash(tuple((tool.id, tool.version) for tool in shown(principal, call)))
    except Refusal:
        return None


def alike(one: Principal, other: Principal) -> bool:
    """Whether all is the same that a list depends on, besides the clock."""
    a, b = one.snapshot, other.snapshot
    if a is not b and (a.policies is not b.policies or a.tools is not b.tools):
        return False
    return rest(one) == rest(other)


def rest(principal: Principal) -> tuple[Any, ...]:
    """What is small enough to be compared."""
    return principal.snapshot.attributes, principal.agent, principal.member, principal.scopes
