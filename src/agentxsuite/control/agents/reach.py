"""Which agent may use which tool, and why: asked of the engine that decides calls.

What nobody knows before a call comes, its arguments and where it comes from, is left open: where a
condition looks at it, it depends. The time is now, and the agent calls for itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from agentxsuite.control.agents.models import Agent, Mode
from agentxsuite.control.catalog.models import SyncStatus, Tool
from agentxsuite.control.policies.compile import policies_of
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.control.tenancy.problems import Problem
from agentxsuite.engines import pdp
from agentxsuite.engines.pdp.candidates import find_candidates
from agentxsuite.engines.pdp.compile import Filed
from agentxsuite.engines.pdp.conditions import AllOf, AnyOf, Leaf, Node, Not
from agentxsuite.engines.pdp.decide import refer
from agentxsuite.engines.pdp.kleene import FALSE, TRUE
from agentxsuite.engines.pdp.paths import Facts as Roots
from agentxsuite.engines.pdp.paths import Path, parse_path
from agentxsuite.engines.pdp.rules import CompiledRule
from agentxsuite.wire import JSON

INVOKE: Final = "tool.invoke"
DEPENDS: Final = "depends"
DEPENDS_ON_CALL: Final = "depends_on_call"
# Where a call comes from: what conditions may look at, by root.
ORIGIN: Final[Mapping[str, Mapping[str, JSON]]] = {
    "request": dict.fromkeys(("door", "ip"), pdp.UNKNOWN),
    "context": dict.fromkeys(("auth_method", "client", "ip"), pdp.UNKNOWN),
}
NO_ARGUMENTS: Final[dict[str, JSON]] = {}


class PoliciesUnreadable(Problem):
    """A stored policy is damaged: nothing is allowed, and nothing can be told."""

    status = 503
    title = "Not available now"

    def __init__(self) -> None:
        super().__init__("pdp_error", "The policies cannot be read; nothing is allowed until then.")


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts that no policy overrides; each must be true for a call to pass."""

    agent_enabled: bool
    own_connection: bool
    connection_enabled: bool
    tool_enabled: bool
    approved: bool
    offered: bool

    def closed(self) -> tuple[str, str] | None:
        """The first that closes the door, as code and sentence; in the order calls ask."""
        return next((CLOSED[name] for name in CLOSED if not getattr(self, name)), None)


CLOSED: Final = {
    "agent_enabled": ("agent_disabled", "This agent, or its service account, is disabled."),
    "own_connection": (
        "runner_other_connection",
        "A runner uses only the tools of its own connection.",
    ),
    "connection_enabled": ("connection_disabled", "This tool's connection is disabled."),
    "tool_enabled": ("tool_disabled", "This tool is disabled."),
    "approved": ("tool_quarantined", "This tool's definition waits for a person's approval."),
    "offered": ("tool_stale", "The upstream no longer offers this tool."),
}
SENTENCES: Final = {
    pdp.EXPLICIT_ALLOW: "A policy allows it.",
    pdp.EXPLICIT_DENY: "A policy denies it.",
    pdp.DEFAULT_DENY: "No policy allows it.",
    DEPENDS_ON_CALL: "It depends on the call.",
}


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
    standing: Standing
    rules: tuple[pdp.RuleRef, ...] = ()
    paths: tuple[str, ...] = ()
    errors: tuple[pdp.Fault, ...] = ()

    @property
    def depends_on_input(self) -> bool:
        """Whether a rule that decides looks at the arguments."""
        return self.effect == DEPENDS and any(
            parse_path(path).root == "input" for path in self.paths
        )


class Bench:
    """The policies of one environment at one moment: three queries, whatever is asked then."""

    def __init__(self, environment: Environment, at: datetime | None = None) -> None:
        self.environment, self.at = environment, at or timezone.now()
        place = str(environment.organization_id), str(environment.id)
        try:
            self.policies = pdp.PolicySet.compile(policies_of(environment), *place)
        except pdp.PolicyInvalid:
            raise PoliciesUnreadable from None

    def verdict(self, agent: Agent, tool: Tool) -> Verdict:
        """Judge one pair, of `agents_in` and `tools_in` this environment."""
        standing = standing_of(agent, tool)
        closed = standing.closed()
        if closed is not None:
            return Verdict(agent, tool, pdp.DENY, *closed, standing)
        request = self._request(agent, tool)
        if pdp.could_allow(self.policies, request, self.at) and (asked := self._open(request)):
            rules = tuple(dict.fromkeys(map(refer, asked)))
            paths = tuple(dict.fromkeys(path for _, rule in asked for path in _unknown(rule)))
            told = DEPENDS_ON_CALL, SENTENCES[DEPENDS_ON_CALL]
            return Verdict(agent, tool, DEPENDS, *told, standing, rules, paths)
        decision = pdp.decide(self.policies, request, self.at)
        rule = decision.determining
        return Verdict(
            agent,
            tool,
            decision.effect,
            decision.reason,
            decision.message or SENTENCES[decision.reason],
            standing,
            (rule,) if rule else (),
            decision.paths,
            decision.errors,
        )

    def _open(self, request: pdp.Request) -> list[Filed]:
        """The rules that let one call pass and not another one; those that decide come first.

        Some call could pass. None of the denies holds for certain, then.
        """
        roots = Roots(request.attributes, pdp.UNKNOWN, self.at)
        found = find_candidates(self.policies, request)
        asked = sorted(filed for filed in found.denies if filed[1].truth(roots) != FALSE)
        allows = {filed: filed[1].truth(roots) for filed in sorted(found.allows)}
        if TRUE not in allows.values():
            asked += [filed for filed, truth in allows.items() if truth & TRUE]
        return list(dict.fromkeys(asked))

    def _request(self, agent: Agent, tool: Tool) -> pdp.Request:
        """The question in the engine's words, as a call of the agent itself would ask it."""
        target = f"tool:{tool.name}"
        return pdp.Request(
            organization=str(self.environment.organization_id),
            environment=str(self.environment.id),
            action=INVOKE,
            target=target,
            agent=str(agent.id),
            tool=str(tool.id),
            attributes={
                "principal": principal_of(agent),
                "env": {
                    "id": str(self.environment.id),
                    "name": self.environment.name,
                    "type": self.environment.type,
                },
                "tool": attributes_of(tool),
                "request": {**ORIGIN["request"], "action": INVOKE, "target": target},
                "context": ORIGIN["context"],
            },
            input=NO_ARGUMENTS,
        )


def _unknown(rule: CompiledRule) -> list[str]:
    """What a rule's condition looks at that nobody knows before the call."""
    paths = [leaf.path for leaf in _leaves(rule.condition)]
    return [path.text for path in paths if path.root == "input" or _of_origin(path)]


def _of_origin(path: Path) -> bool:
    return any(step in ORIGIN.get(path.root, ()) for step in path.steps[:1])


def _leaves(node: Node | None) -> Iterator[Leaf]:
    match node:
        case Leaf():
            yield node
        case Not():
            yield from _leaves(node.child)
        case AllOf() | AnyOf():
            for child in node.children:
                yield from _leaves(child)


def principal_of(agent: Agent) -> dict[str, JSON]:
    """The `principal` root of an agent that calls for itself."""
    return {
        "kind": "agent",
        "id": str(agent.id),
        "name": agent.name,
        "slug": agent.slug,
        "mode": agent.mode,
        "tags": agent.tags,
        "capabilities": agent.capabilities,
        "roles": [],
        "user": None,
    }


def attributes_of(tool: Tool) -> dict[str, JSON]:
    """The `tool` root; its connection and its definition are read together with it."""
    definition = tool.definition.definition if tool.definition else {}
    return {
        "id": str(tool.id),
        "name": tool.name,
        "upstream_name": tool.upstream_name,
        "version": tool.version,
        "connection": tool.connection.slug,
        "annotations": definition.get("annotations") or {},
    }


def standing_of(agent: Agent, tool: Tool) -> Standing:
    """The facts outside policy of one pair."""
    account = agent.service_account
    return Standing(
        agent_enabled=agent.enabled
        and (account is None or (account.enabled and account.deleted_at is None)),
        own_connection=agent.mode != Mode.RUNNER or agent.connection_id == tool.connection_id,
        connection_enabled=tool.connection.enabled,
        tool_enabled=tool.enabled,
        approved=tool.definition is not None and tool.sync_status != SyncStatus.PENDING_REVIEW,
        offered=tool.sync_status != SyncStatus.STALE,
    )


def tools_in(environment: Environment) -> QuerySet[Tool]:
    """The tools that can be asked about, with what is asked of them, by name."""
    rows = access.live(Tool).filter(environment=environment, connection__deleted_at=None)
    return rows.select_related("connection", "definition").order_by("name", "id")


def agents_in(environment: Environment) -> QuerySet[Agent]:
    """The agents that can be asked about, with what is asked of them, by name."""
    rows = access.live(Agent).filter(environment=environment)
    return rows.select_related("service_account").order_by("name", "id")
