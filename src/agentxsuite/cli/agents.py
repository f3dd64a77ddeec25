"""agents: who calls tools, with which token, and what they may do."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from agentxsuite.cli import names
from agentxsuite.cli.command import command
from agentxsuite.cli.moments import length
from agentxsuite.cli.output import Answer, Columns, table, when
from agentxsuite.cli.rows import Row
from agentxsuite.cli.session import Session
from agentxsuite.cli.targets import target

Agent = Annotated[str, typer.Argument(help="its slug, name or id", show_default=False)]
Life = Annotated[
    str, typer.Option("--ttl", help="how long the token is good for: 90m, 8h; at most 24h")
]
HOUR: Final = "60m"


@dataclass(frozen=True, slots=True)
class Wish:
    """An agent."""

    name: Annotated[str, typer.Argument(help="its name", show_default=False)]
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="TOOL", help="let it use this tool, or CONNECTION/*; may be repeated"),
    ] = None
    slug: Annotated[
        str, typer.Option(help="what it is called by; made of its name unless told")
    ] = ""
    ttl: Life = HOUR


def add(group: typer.Typer) -> None:
    """Add these commands."""
    command(group, "create")(create)
    command(group, "list")(list_agents)
    command(group, "token")(token)
    command(group, "access")(access)


def create(session: Session, wish: Wish) -> Answer:
    """Make an agent that logs in by our tokens; with --allow, also its policy and a first token."""
    facts = {"environment": session.environment, "name": wish.name, "slug": wish.slug}
    if not wish.allow:
        made = alone(session, facts)
        said = f"made {made['slug']}, which may do nothing yet"
        return Answer({"agent": made}, (said, f"try: {allowing(made)}"))
    targets = [target(each) for each in wish.allow]
    seconds = int(length(wish.ttl).total_seconds())
    body = {**facts, "targets": targets, "ttl_seconds": seconds}
    whole = session.post("agents/create-axcore/", body)
    lines = (f"made {whole['agent']['slug']}, which may use {', '.join(targets)}",)
    return Answer(whole, (*lines, *carrying(whole["token"])))


def alone(session: Session, facts: Row) -> Row:
    """Make an agent with a login, and nothing that it may do."""
    place = session.get(f"environments/{session.environment}/")
    login = {"name": f"{facts['name']} in {place['name']}", "environment": place["id"]}
    account = session.post("service-accounts/", login)
    return dict(session.post("agents/", {**facts, "service_account": account["id"]}))


def allowing(agent: Row) -> str:
    """Return the command that lets an agent do something."""
    return f"agentxsuite policies allow --agent {agent['slug']} --tool NAME"


def carrying(issued: Row) -> tuple[str, ...]:
    """Show a token, which nobody sees again, and where it is good."""
    return (
        f"MCP address: {issued['mcp_url']}",
        f"token, shown this once, good until {when(issued['expires_at'])}:",
        issued["token"],
    )


def list_agents(session: Session) -> Answer:
    """List agents."""
    columns: Columns = {
        "agent": "slug",
        "name": "name",
        "mode": "mode",
        "login": "inbound_auth_method",
        "enabled": "enabled",
        "id": "id",
    }
    found = session.every("agents/", environment=session.narrowed)
    return table(found, columns, "none yet: agentxsuite agents create NAME --allow TOOL")


def token(
    session: Session,
    agent: Agent,
    name: Annotated[str, typer.Option(help="what the token is for")] = "",
    ttl: Life = HOUR,
) -> Answer:
    """Issue a token for an agent; it is shown this once."""
    row = names.agent(session, agent)
    body: dict[str, Any] = {"ttl_seconds": int(length(ttl).total_seconds())}
    body |= {"name": name} if name else {}
    issued = session.post(f"agents/{row['id']}/tokens/", body)
    return Answer(issued, carrying(issued))


def access(
    session: Session,
    agent: Agent,
    effect: Annotated[str | None, typer.Option(help="only allow, deny or depends")] = None,
) -> Answer:
    """List every tool with what would become of this agent's call, and why."""
    row = names.agent(session, agent)
    columns: Columns = {
        "tool": lambda each: each["tool"]["name"],
        "may": "effect",
        "why": "detail",
        "rule": lambda each: ", ".join(
            rule["rule_name"] or rule["policy_name"] for rule in each["rules"]
        ),
    }
    return table(session.every(f"agents/{row['id']}/access/", effect=effect), columns, "no tools")
