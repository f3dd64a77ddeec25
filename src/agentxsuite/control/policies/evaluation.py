"""What would become of a call, and why: asked of the engine that decides calls, in its words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.utils import timezone

from agentxsuite.control.agents.models import Agent as AgentRow
from agentxsuite.control.catalog.models import Connection as ConnectionRow
from agentxsuite.control.catalog.models import Tool as ToolRow
from agentxsuite.control.policies.facts import agent_of
from agentxsuite.control.policies.in_force import policies_in_force
from agentxsuite.control.policies.then import role_now, role_then
from agentxsuite.control.policies.words import Asker, Server, Tool, place_of, tool_of
from agentxsuite.control.problems import Invalid
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Environment, User
from agentxsuite.engines import pdp
from agentxsuite.wire import JSON

INVOKE: Final = "tool.invoke"
# What is used beside tools, and what its targets start with.
USES: Final[Mapping[str, str]] = {"resource.read": "resource", "prompt.get": "prompt"}
TOOL: Final = "tool:"
NOTHING_SAID: Final = pdp.Circumstances()


@dataclass(frozen=True, slots=True)
class Question:
    """Who would do what, where and how; `at` None is now. An agent, a person, or both."""

    environment: Environment
    agent: AgentRow | None
    user: User | None
    action: str
    target: str
    given: Mapping[str, JSON] = field(default_factory=dict)
    how: pdp.Circumstances = NOTHING_SAID
    at: datetime | None = None


def evaluate(question: Question) -> dict[str, JSON]:
    """Return the decision with its whole explanation, and the facts that no policy overrides.

    Raises Invalid where the person had no role, and PoliciesUnreadable.
    """
    now = timezone.now()
    at = question.at or now
    policies = policies_in_force(question.environment, at if at < now else None)
    asker = _asker(question, at if at < now else None)
    tool = _tool(question.environment, question.target)
    request = pdp.ask(
        asker, question.action, question.target, tool, question.how, dict(question.given)
    )
    decision = pdp.decide(policies, request, at)
    facts = list(_facts(asker, question, tool))
    name = question.target.removeprefix(TOOL)
    told = pdp.refusal(decision, facts[0] if facts else None, name)
    return {
        **pdp.explain(policies, request, decision, at).as_json(),
        "allowed": told is None,
        "refusal": told and _refusal(told, () if facts else decision.paths),
        "facts": [{"code": code, "detail": detail} for code, detail in facts],
        "listed": not facts and pdp.could_allow(policies, request, at),
        "asked": _asked(question, asker, tool),
        "as_of": {"policies": _text(at), "roles": _text(at), "facts": _text(now)},
    }


def _asker(question: Question, at: datetime | None) -> Asker:
    environment, row, user = question.environment, question.agent, question.user
    member = None
    if user is not None:
        role = role_now(environment, user) if at is None else role_then(environment, user, at)
        if role is None:
            raise Invalid.at("/user", "This person has no role here at that time.")
        member = pdp.Member(str(user.id), user.email, role)
    return Asker(place_of(environment), agent_of(row) if row else None, member)


def _tool(environment: Environment, target: str) -> Tool | None:
    if not target.startswith(TOOL):
        return None
    rows = access.live(ToolRow).filter(environment=environment, connection__deleted_at=None)
    named = rows.filter(name=target.removeprefix(TOOL))
    row = named.select_related("connection", "definition").first()
    return None if row is None else tool_of(row)


def _facts(asker: Asker, question: Question, tool: Tool | None) -> list[pdp.Told]:
    """What closes the door whatever policies say, in the order in which a call meets it."""
    found = []
    if asker.agent and asker.member and (barred := pdp.barred(asker.member)):
        found.append(barred)
    if question.action == INVOKE and tool is None:
        name = question.target.removeprefix(TOOL)
        found.append(("tool_unknown", f"There is no tool '{name[:100]}' here."))
    if question.action in USES:
        return [*found, *_use_facts(asker, question)]
    return [*found, *pdp.closed(asker.agent, tool if question.action == INVOKE else None)]


def _use_facts(asker: Asker, question: Question) -> Iterator[pdp.Told]:
    """What closes the door to a resource or a prompt: it stands at its connection."""
    kind, _, path = question.target.partition(":")
    if kind != USES[question.action]:
        return
    slug = path.partition("/")[0]
    rows = access.live(ConnectionRow).filter(environment=question.environment, slug=slug)
    row = rows.values_list("id", "enabled").first()
    if row is None:
        yield f"{kind}_unknown", f"There is no {kind} '{path[:100]}' here."
        return
    yield from pdp.shut(asker.agent, Server(str(row[0]), row[1]))


def _refusal(told: pdp.Told, paths: tuple[str, ...]) -> dict[str, JSON]:
    code, detail = told
    return {"code": code, "detail": detail, "paths": list(paths)}


def _asked(question: Question, asker: Asker, tool: Tool | None) -> dict[str, JSON]:
    place, agent, member = asker.snapshot, asker.agent, asker.member
    return {
        "organization": place.organization,
        "environment": place.environment,
        "agent": agent and {"id": agent.id, "slug": agent.slug},
        "user": member and {"id": member.user, "email": member.email, "role": member.role},
        "action": question.action,
        "target": question.target,
        "tool": tool and {"id": tool.id, "name": tool.name},
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
