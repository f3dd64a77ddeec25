"""policies: who may do what."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from agentxsuite.cli import names
from agentxsuite.cli.arguments import arguments
from agentxsuite.cli.command import command
from agentxsuite.cli.failures import Misused
from agentxsuite.cli.output import Answer, card, inline, note, table
from agentxsuite.cli.rows import Row
from agentxsuite.cli.session import Session
from agentxsuite.cli.targets import INVOKE, is_pattern, target
from agentxsuite.wire import JSON

Tool = Annotated[
    str,
    typer.Option("--tool", help="CONNECTION/TOOL, or a pattern such as pdf/*", show_default=False),
]
Action = Annotated[str, typer.Option(help="tool.invoke, resource.read, prompt.get, ...")]
Broad = Annotated[
    bool, typer.Option("--acknowledge-broad", help="yes, this allow of everything is meant")
]
AnyAgent = Annotated[str | None, typer.Option(help="its slug, name or id")]


@dataclass(frozen=True, slots=True)
class Denial:
    """What is denied, to whom, and in which words."""

    tool: Tool
    agent: Annotated[str | None, typer.Option(help="slug, name or id; all when left out")] = None
    action: Action = INVOKE
    message: Annotated[str, typer.Option(help="what a denied caller reads")] = ""


def add(group: typer.Typer) -> None:
    """Add these commands."""
    command(group, "allow")(allow)
    command(group, "deny")(deny)
    command(group, "list")(list_policies)
    command(group, "evaluate")(evaluate)


def allow(
    session: Session,
    agent: Annotated[str, typer.Option(help="its slug, name or id", show_default=False)],
    tool: Tool,
    action: Action = INVOKE,
    *,
    acknowledge_broad: Broad = False,
) -> Answer:
    """Let an agent use a tool: one rule, in the policy that is bound to this agent alone."""
    who = names.agent(session, agent)
    rule = {"action": action, "target": target(named(session, tool), action), "effect": "allow"}
    return written(session, of_agent(session, who), rule, acknowledge_broad=acknowledge_broad)


def deny(session: Session, denial: Denial) -> Answer:
    """Deny a tool to one agent, or to everybody in the environment; no allow outweighs it."""
    rule = {
        "action": denial.action,
        "target": target(named(session, denial.tool), denial.action),
        "effect": "deny",
        "message": denial.message,
    }
    if denial.agent is not None:
        return written(session, of_agent(session, names.agent(session, denial.agent)), rule)
    return written(session, of_environment(session), rule)


def named(session: Session, tool: str) -> str:
    """Return a tool's name; one that is not there is told, and may come later."""
    if names.is_id(tool):
        return str(names.tool(session, tool)["name"])
    if ":" not in tool and not is_pattern(tool):
        found = session.every("tools/", 1, environment=session.environment, name=tool)
        if not found:
            note(f"note: there is no tool {tool!r} in this environment yet")
    return tool


def of_agent(session: Session, agent: Row) -> Row:
    """Return the wanted policy of one agent: where `agents create` puts its rules too."""
    place = session.get(f"environments/{agent['environment']}/")
    binding = {"scope_type": "agent", "scope_id": agent["id"]}
    return {
        "name": f"{agent['name']} in {place['name']}",
        "environment": place["id"],
        "bindings": [binding],
    }


def of_environment(session: Session) -> Row:
    """Return the wanted policy of everybody in an environment."""
    place = session.get(f"environments/{session.environment}/")
    binding = {"scope_type": "env", "scope_id": place["id"]}
    return {
        "name": f"Everybody in {place['name']}",
        "environment": place["id"],
        "bindings": [binding],
    }


def written(
    session: Session, wanted: Row, rule: dict[str, JSON], *, acknowledge_broad: bool = False
) -> Answer:
    """Add a rule to the policy of that scope, which is made if need be; the same rule is kept."""
    meant = {"acknowledge_broad": True} if acknowledge_broad else {}
    found = home(session, wanted)
    if found is None:
        made = session.post("policies/", {**free(session, wanted), "rules": [rule], **meant})
        return ruled("wrote", made, rule)
    if any(like(rule, each) for each in found["rules"]):
        return ruled("there already:", found, rule)
    # Whoever changes the policy meanwhile is not overwritten, but told to try again: 412.
    tag = {"If-Match": f'"{found["version"]}"'}
    session.post(f"policies/{found['id']}/rules/", {**rule, **meant}, headers=tag)
    return ruled("wrote", session.get(f"policies/{found['id']}/"), rule)


def home(session: Session, wanted: Row) -> Row | None:
    """Return the active policy that is bound to just that scope, so that nobody else is meant."""
    scope = [(each["scope_type"], each["scope_id"]) for each in wanted["bindings"]]
    for each in session.every("policies/", environment=wanted["environment"], is_active=True):
        bound = [(one["scope_type"], one["scope_id"]) for one in each["bindings"]]
        if bound == scope:
            return each
    return None


def free(session: Session, wanted: Row) -> Row:
    """Return the wanted policy under a name that no other has."""
    if session.every("policies/", 1, name=wanted["name"]):
        return {**wanted, "name": f"{wanted['name']} ({wanted['bindings'][0]['scope_id']})"}
    return wanted


def like(rule: Row, other: Row) -> bool:
    """Whether another rule says just that, without conditions or terms."""
    same = all(other[name] == value for name, value in rule.items())
    return same and not other["conditions"] and not other["terms"]


def ruled(verb: str, policy: Row, rule: Row) -> Answer:
    """Tell what stands now."""
    said = f"{verb} {rule['effect']} {rule['action']} {rule['target']}"
    return Answer(
        policy, (f"{said}, in the policy {policy['name']!r} (version {policy['version']})",)
    )


def list_policies(session: Session) -> Answer:
    """List every rule, with the policy it stands in and whom that is bound to."""
    found = session.every("policies/", environment=session.narrowed)
    rows = [
        {**rule, "policy": each["name"], "version": each["version"], "bound": bound(each)}
        for each in found
        for rule in each["rules"] or [{}]
    ]
    columns = ("effect", "action", "target", "bound", "policy", "version", "message")
    shown = table(rows, {name: name for name in columns}).shown
    return Answer(found, shown)


def bound(policy: Row) -> str:
    """Return whom a policy is for."""
    scopes = [f"{each['scope_type']}:{each['scope_id']}" for each in policy["bindings"]]
    return ", ".join(scopes) if policy["is_active"] else "nobody: not active"


def evaluate(
    session: Session,
    tool: Tool,
    agent: AnyAgent = None,
    words: Annotated[
        list[str] | None, typer.Argument(help="the tool's arguments: key=value, key:=json")
    ] = None,
    action: Action = INVOKE,
) -> Answer:
    """Ask what would become of a call, and why; status 1 when it would be denied."""
    who = names.agent(session, agent)
    given = arguments(words or [], schema(session, tool, wanted=bool(words)))
    question = {
        "agent": who["id"],
        "environment": who["environment"],
        "action": action,
        "target": target(tool, action),
        **({"input": given} if words else {}),
    }
    found = session.post("policies/evaluate/", question)
    return Answer(found, tuple(explained(found)), failed=not found["allowed"])


def schema(session: Session, tool: str, *, wanted: bool) -> Any:
    """Return what a tool says of its arguments."""
    if is_pattern(tool):
        raise Misused("a question is about one tool, not about a pattern")
    return names.tool(session, tool)["schema_json"] if wanted else {}


def explained(found: Row) -> list[Any]:
    """Tell a decision in lines."""
    rule = found["determining"] or {}
    told = (found["refusal"] or {}).get("detail") or found["message"]
    facts = {
        "decision": "allow" if found["allowed"] else "deny",
        "reason": found["reason"],
        "because": told,
        "rule": rule.get("rule_name") or rule.get("rule_id"),
        "policy": rule.get("policy_name"),
        "looked at": ", ".join(found["paths"]),
    }
    lines: list[Any] = [card(facts, [name for name, value in facts.items() if value])]
    lines += [f"near miss: {near}" for near in map(nearly, found["near_misses"])]
    return lines


def nearly(near: Row) -> str:
    """Tell which rule would have matched but for its condition, and what kept it from that."""
    rule = near["rule"]
    named = rule["rule_name"] or rule["rule_id"]
    failing = [f"{each['path']} {each['op']} {inline(each['value'])}" for each in near["failing"]]
    return f"{rule['effect']} {named} in {rule['policy_name']!r}: {', '.join(failing)}"
