"""Which agent may use which tool, and why: asked of the engine that decides calls.

What nobody knows before a call comes, its arguments and where it comes from, is left open: where a
condition looks at it, it depends. The time is now, and the agent calls for itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.catalog.models import Tool
from agentxsuite.control.policies.evaluation import INVOKE
from agentxsuite.control.policies.facts import agent_of
from agentxsuite.control.policies.in_force import policies_in_force
from agentxsuite.control.policies.words import Asker, place_of, tool_of
from agentxsuite.control.policies.words import Tool as Asked
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines import pdp
from agentxsuite.wire import JSON

DEPENDS: Final = "depends"
DEPENDS_ON_CALL: Final = "depends_on_call"
# Where a call comes from: what conditions may look at, by root.
ORIGIN: Final[Mapping[str, Mapping[str, JSON]]] = {
    "request": dict.fromkeys(("door", "ip"), pdp.UNKNOWN),
    "context": dict.fromkeys(("auth_method", "client", "ip"), pdp.UNKNOWN),
}
NO_ARGUMENTS: Final[dict[str, JSON]] = {}
NOBODY_KNOWS: Final = pdp.Circumstances()
# What must be so for a call to pass, whatever policies say; and the code where it is not.
STANDING: Final = {
    "agent_enabled": "agent_disabled",
    "own_connection": "runner_other_connection",
    "connection_enabled": "connection_disabled",
    "tool_enabled": "tool_disabled",
    "approved": "tool_quarantined",
    "offered": "tool_stale",
}
ALLOWED: Final = "A policy allows it."
DEPENDING: Final = "Some calls may pass; it depends on what they look like."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of calls of a tool by an agent.

    `allow` and `deny` hold for every call: `rules` has the one that decides, if there is one, and
    `paths` what conditions looked at that made it a denial. With `depends` some calls may pass:
    `rules` are those that look at the call, and `paths` what they look at.
    """

    agent: Agent
    tool: Tool
    effect: str
    reason: str
    detail: str
    standing: Mapping[str, bool]
    rules: tuple[pdp.RuleRef, ...] = ()
    paths: tuple[str, ...] = ()
    errors: tuple[pdp.Fault, ...] = ()

    @property
    def depends_on_input(self) -> bool:
        """Whether a rule that decides looks at the arguments."""
        return self.effect == DEPENDS and any(path.startswith("input") for path in self.paths)


class Bench:
    """The policies of one environment at one moment: read once, whatever is asked then."""

    def __init__(self, environment: Environment, at: datetime | None = None) -> None:
        self.environment, self.at = environment, at or timezone.now()
        self.policies = policies_in_force(environment)

    def verdict(self, agent: Agent, tool: Tool) -> Verdict:
        """Judge one pair, of `agents_in` and `tools_in` this environment."""
        asker = Asker(place_of(self.environment), agent_of(agent), None)
        known = tool_of(tool)
        closed = dict(pdp.closed(asker.agent, known))
        standing = {name: code not in closed for name, code in STANDING.items()}
        if closed:
            return Verdict(agent, tool, pdp.DENY, *next(iter(closed.items())), standing)
        request = self._request(asker, tool, known)
        if hanging := pdp.pending(self.policies, request, self.at):
            return Verdict(agent, tool, DEPENDS, DEPENDS_ON_CALL, DEPENDING, standing, *hanging)
        decision = pdp.decide(self.policies, request, self.at)
        told = pdp.refusal(decision, None, tool.name) or (decision.reason, ALLOWED)
        return Verdict(
            agent,
            tool,
            decision.effect,
            *told,
            standing,
            (decision.determining,) if decision.determining else (),
            decision.paths,
            decision.errors,
        )

    def _request(self, asker: Asker, tool: Tool, known: Asked) -> pdp.Request:
        """What a call of the agent itself would ask, with what nobody knows yet left open."""
        asked = pdp.ask(asker, INVOKE, f"tool:{tool.name}", known, NOBODY_KNOWS, NO_ARGUMENTS)
        left_open = {root: {**asked.attributes[root], **names} for root, names in ORIGIN.items()}
        return replace(asked, attributes={**asked.attributes, **left_open})


def tools_in(environment: Environment) -> QuerySet[Tool]:
    """The tools that can be asked about, with what is asked of them, by name."""
    rows = access.live(Tool).filter(environment=environment, connection__deleted_at=None)
    return rows.select_related("connection", "definition").order_by("name", "id")


def agents_in(environment: Environment) -> QuerySet[Agent]:
    """The agents that can be asked about, with what is asked of them, by name."""
    rows = access.live(Agent).filter(environment=environment)
    return rows.select_related("service_account").order_by("name", "id")
